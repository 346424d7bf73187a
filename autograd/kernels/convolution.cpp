// Both ways work on a few pictures at a time: windows that are copied, and layouts that are changed, stay in the cache.
// Of one piece by windows, products are shared among threads; of a weight, each thread's sum is one term.
#include "autograd/kernels/convolution.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "autograd/base/array.hpp"
#include "autograd/base/threads.hpp"
#include "autograd/kernels/blas.hpp"
#include "autograd/kernels/calls.hpp"
#include "autograd/kernels/finite.hpp"
#include "autograd/kernels/onednn_convolution.hpp"

namespace autograd::kernels {
namespace {

/// Operations from which on the calls of oneDNN and the changes of layout are worth their time.
constexpr double flops_for_onednn = 2e6;

/// Of one of the pieces that work is cut into: more pictures than that gain nothing, and less is then shared.
constexpr std::size_t most_in_a_piece = 16;

/// Sums of up to so many terms are left to oneDNN, which adds them up in sequence: longer ones are of products with windows.
constexpr std::size_t most_terms = 800;

double flops(const ConvolutionExtents& e) {
    return 2.0 * static_cast<double>(e.pictures) * static_cast<double>(e.weight_size()) *
           static_cast<double>(e.rows.count * e.columns.count);
}

/// The same for `count` of the pictures.
ConvolutionExtents some_of(ConvolutionExtents extents, std::size_t count) {
    extents.pictures = count;
    return extents;
}

/// One side of some pictures from the other two, by products with their windows.
template <class T>
class ByWindows {
   public:
    ByWindows(Side side, const ConvolutionExtents& extents)
        : side_(side),
          e_(extents),
          outputs_(e_.outputs / e_.groups),
          depth_(e_.channels / e_.groups * e_.rows.size * e_.columns.size),
          places_(e_.rows.count * e_.columns.count) {}

    /// On at most so many threads.
    void run(T* x, T* y, T* w, std::size_t pictures, std::size_t threads) const {
        Array<T> windows = empty<T>({e_.groups * depth_, places_});
        if (side_ == Side::weight) std::fill_n(w, e_.weight_size(), T(0));
        for (std::size_t i = 0; i < pictures; ++i, x += e_.picture_size(), y += e_.output_size()) {
            if (side_ != Side::pictures) unfold(windows.data(), x, e_.channels, e_.rows, e_.columns);
            for (std::size_t group = 0; group < e_.groups; ++group) {
                multiply(threads, windows.data() + group * depth_ * places_, y + group * outputs_ * places_,
                         w + group * outputs_ * depth_);
            }
            if (side_ != Side::pictures) continue;
            std::fill_n(x, e_.picture_size(), T(0));
            fold_add(x, windows.data(), e_.channels, e_.rows, e_.columns);
        }
    }

   private:
    void multiply(std::size_t threads, T* windows, T* y, T* w) const {
        const auto matrix = [](const T* data, std::size_t columns, bool transposed) {
            return Matrix<T>{data, columns, transposed};
        };
        switch (side_) {
            case Side::outputs:
                return gemm(y, outputs_, places_, depth_, matrix(w, depth_, false), matrix(windows, places_, false), false,
                            threads);
            case Side::pictures:
                return gemm(windows, depth_, places_, outputs_, matrix(w, depth_, true), matrix(y, places_, false), false,
                            threads);
            case Side::weight:
                return gemm(w, outputs_, depth_, places_, matrix(y, places_, false), matrix(windows, places_, true), true,
                            threads);
        }
    }

    Side side_;
    const ConvolutionExtents& e_;
    std::size_t outputs_, depth_, places_;
};

/// One side of a convolution from the other two.
template <class T>
class Convolution {
   public:
    /// `bias` may be null.
    Convolution(Side side, const ConvolutionExtents& extents, const T* bias = nullptr)
        : side_(side),
          extents_(extents),
          bias_(bias),
          in_a_piece_(side == Side::weight ? std::clamp(most_terms / (extents.rows.count * extents.columns.count),
                                                        std::size_t{1}, most_in_a_piece)
                                           : most_in_a_piece),
          pieces_((extents.pictures + in_a_piece_ - 1) / in_a_piece_),
          ranges_(std::min(pieces_, static_cast<std::size_t>(num_threads()))),
          by_windows_(side, extents) {}

    void run(T* x, T* y, T* w) {
        choose(y, w);
        if (side_ != Side::weight) {
            run_in_parallel(pieces_, [&](std::size_t piece) { run_piece(x, y, w, piece); });
            return;
        }
        // Of each range a sum of its own.
        Array<T> sums = empty<T>({ranges_, extents_.weight_size()});
        run_in_parallel(ranges_, [&](std::size_t range) {
            add_up(sums.data() + range * extents_.weight_size(), x, y, range * pieces_ / ranges_,
                   (range + 1) * pieces_ / ranges_);
        });
        std::copy_n(sums.data(), extents_.weight_size(), w);
        for (std::size_t range = 1; range < ranges_; ++range) add(w, sums.data() + range * extents_.weight_size());
    }

   private:
    /// oneDNN, where all speaks for it. That it has kernels is asked last, because then it makes them.
    void choose(const T* y, const T* w) {
        if (!std::is_same_v<T, float> || flops(extents_) < flops_for_onednn || terms_of_a_sum() > most_terms ||
            !fills_vectors() || !outside_is_zero(y, w)) {
            return;
        }
        calls_.emplace(Library::other, ranges_);
        by_onednn_ = calls_->count() > 0 && has_onednn_for(0) && has_onednn_for(pieces_ - 1);
        if (!by_onednn_) calls_.reset();  // products with windows make their own
    }
    /// What lies outside of the pictures is 0, and is multiplied: not by oneDNN, which makes a difference of infinities and
    /// NaN.
    bool outside_is_zero(const T* y, const T* w) const {
        if (extents_.rows.padding == 0 && extents_.columns.padding == 0) return true;
        if (side_ == Side::pictures) return true;
        return side_ == Side::outputs ? all_finite(w, extents_.weight_size())
                                      : all_finite(y, extents_.pictures * extents_.output_size());
    }

    std::size_t pictures_of(std::size_t piece) const { return std::min(in_a_piece_, extents_.pictures - piece * in_a_piece_); }
    /// Of a weight's sum, those of one picture: pieces have more only up to most_terms.
    std::size_t terms_of_a_sum() const {
        const std::size_t elements = extents_.rows.size * extents_.columns.size;
        switch (side_) {
            case Side::outputs: return extents_.channels / extents_.groups * elements;
            case Side::pictures: return extents_.outputs / extents_.groups * elements;
            case Side::weight: break;
        }
        return extents_.rows.count * extents_.columns.count;
    }
    /// oneDNN computes pictures of one channel or three as if they were of a vector's: products took a fourth of the time.
    bool fills_vectors() const { return side_ != Side::pictures || extents_.groups > 1 || extents_.channels >= 8; }
    bool has_onednn_for(std::size_t piece) const { return onednn_convolves(side_, some_of(extents_, pictures_of(piece))); }

    void run_piece(T* x, T* y, T* w, std::size_t piece) const {
        const std::size_t first = piece * in_a_piece_, count = pictures_of(piece);
        x += first * extents_.picture_size(), y += first * extents_.output_size();
        compute_piece(x, y, w, count);
        if (bias_ == nullptr) return;
        if (side_ == Side::outputs) {
            add_to_planes(y, bias_, count, extents_.outputs, extents_.rows.count * extents_.columns.count);
        } else {
            add_to_planes(x, bias_, count, extents_.channels, extents_.rows.extent * extents_.columns.extent);
        }
    }
    void compute_piece(T* x, T* y, T* w, std::size_t count) const {
        if constexpr (std::is_same_v<T, float>) {
            if (by_onednn_) return convolve_by_onednn(side_, x, y, w, some_of(extents_, count));
        }
        by_windows_.run(x, y, w, count, ranges_ > 1 ? 1 : static_cast<std::size_t>(num_threads()));
    }

    /// w = the sum over the pieces [begin, end), halved as rows are in row_reduction.hpp.
    void add_up(T* w, T* x, T* y, std::size_t begin, std::size_t end) const {
        if (end - begin == 1) return run_piece(x, y, w, begin);
        const std::size_t middle = begin + (end - begin) / 2;
        add_up(w, x, y, begin, middle);
        Array<T> half = empty<T>({extents_.weight_size()});
        add_up(half.data(), x, y, middle, end);
        add(w, half.data());
    }

    void add(T* w, const T* other) const {
        for (std::size_t i = 0; i < extents_.weight_size(); ++i) w[i] += other[i];
    }

    Side side_;
    const ConvolutionExtents& extents_;
    const T* bias_;
    std::size_t in_a_piece_, pieces_, ranges_;
    bool by_onednn_ = false;
    std::optional<Calls> calls_;
    ByWindows<T> by_windows_;
};

}  // namespace

template <class T>
void convolve(T* y, const T* x, const T* w, const T* bias, const ConvolutionExtents& extents) {
    Convolution<T>(Side::outputs, extents, bias).run(const_cast<T*>(x), y, const_cast<T*>(w));
}

template <class T>
void convolve_to_pictures(T* x, const T* y, const T* w, const T* bias, const ConvolutionExtents& extents) {
    Convolution<T>(Side::pictures, extents, bias).run(x, const_cast<T*>(y), const_cast<T*>(w));
}

template <class T>
void convolve_to_weight(T* w, const T* x, const T* y, const ConvolutionExtents& extents) {
    Convolution<T>(Side::weight, extents).run(const_cast<T*>(x), const_cast<T*>(y), w);
}

template <class T>
void add_to_planes(T* planes, const T* bias, std::size_t pictures, std::size_t channels, std::size_t size) {
    for (std::size_t n = 0; n < pictures; ++n) {
        for (std::size_t c = 0; c < channels; ++c, planes += size) {
            for (std::size_t i = 0; i < size; ++i) planes[i] += bias[c];
        }
    }
}

#define XTAPE_INSTANTIATE(T)                                                                                      \
    template XTAPE_API void convolve<T>(T*, const T*, const T*, const T*, const ConvolutionExtents&);             \
    template XTAPE_API void convolve_to_pictures<T>(T*, const T*, const T*, const T*, const ConvolutionExtents&); \
    template XTAPE_API void convolve_to_weight<T>(T*, const T*, const T*, const ConvolutionExtents&);             \
    template XTAPE_API void add_to_planes<T>(T*, const T*, std::size_t, std::size_t, std::size_t);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
