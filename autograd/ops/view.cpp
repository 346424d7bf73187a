// view() and its adjoint: where the elements lie that the words name, for the pair of structures that picks and puts back.
#include "autograd/ops/view.hpp"

#include <algorithm>
#include <string>

#include "autograd/kernels/layout.hpp"
#include "autograd/ops/picking.hpp"

namespace autograd {

namespace {

using ops::ViewWord;

struct ViewPlaces {
    static constexpr const char* name = "view";
    static constexpr const char* adjoint_name = "unview";
    PoolVector<ViewWord> words;

    /// In an array of some shape: the place of the first element, and the steps and extents of all axes that are left.
    struct Layout {
        std::ptrdiff_t offset = 0;
        kernels::Strides strides;
        Shape shape;
    };

    Layout in(const Shape& shape) const {
        const auto is = [](ViewWord::Kind kind) { return [kind](const ViewWord& word) { return word.kind == kind; }; };
        const auto ellipses = std::count_if(words.begin(), words.end(), is(ViewWord::Kind::ellipsis));
        const auto new_axes = std::count_if(words.begin(), words.end(), is(ViewWord::Kind::new_axis));
        const std::size_t for_axes = words.size() - static_cast<std::size_t>(ellipses + new_axes);
        if (ellipses > 1) throw ShapeError("xt::ellipsis() stands twice");
        if (for_axes > shape.size()) {
            throw ShapeError(std::to_string(for_axes) + " words for the axes of shape " + to_string(shape));
        }

        const kernels::Strides strides = kernels::row_major_strides(shape);
        Layout result;
        std::size_t axis = 0;
        const auto keep = [&](std::ptrdiff_t stride, std::size_t extent) {
            result.strides.push_back(stride);
            result.shape.push_back(extent);
        };
        const auto keep_whole = [&](std::size_t axes) {
            for (; axes > 0; --axes, ++axis) keep(strides[axis], shape[axis]);
        };
        for (const ViewWord& word : words) {
            const auto here = static_cast<std::ptrdiff_t>(axis);
            switch (word.kind) {
                case ViewWord::Kind::new_axis: keep(0, 1); break;
                case ViewWord::Kind::ellipsis: keep_whole(shape.size() - for_axes); break;
                case ViewWord::Kind::range: {
                    const auto part = ops::Selection::of(shape, here, word.range, name);
                    result.offset += static_cast<std::ptrdiff_t>(part.first) * strides[axis];
                    keep(part.count > 1 ? strides[axis] * part.step : 0, part.count);  // a step is as large as anybody likes
                    ++axis;
                    break;
                }
                case ViewWord::Kind::index:
                    result.offset +=
                        ops::place_on_axis(word.index, static_cast<std::ptrdiff_t>(shape[axis]) - 1, shape, here, name) *
                        strides[axis];
                    ++axis;
                    break;
            }
        }
        keep_whole(shape.size() - axis);
        return result;
    }

    Shape shape_from(const Shape& shape) const { return in(shape).shape; }
    template <class T>
    void pick(Array<T>& out, const Array<T>& x) const {
        const Layout from = in(x.shape());
        kernels::copy_strided(out.data(), kernels::row_major_strides(out.shape()), x.data() + from.offset, from.strides,
                              out.shape());
    }
    template <class T>
    void put_back(Array<T>& target, const Array<T>& x) const {
        const Layout to = in(target.shape());
        kernels::add_strided(target.data() + to.offset, to.strides, x.data(), kernels::row_major_strides(x.shape()), x.shape());
    }
};

ViewPlaces places_of(std::span<const ViewWord> words) { return {{words.begin(), words.end()}}; }

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::viewed(X<T> x, std::span<const ViewWord> words) {
    return apply(Pick<ViewPlaces>{places_of(words)}, x);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::unviewed(X<T> x, const Shape& shape, std::span<const ViewWord> words) {
    return apply(PutBack<ViewPlaces>{places_of(words), shape}, x);
}

#define XTAPE_INSTANTIATE(X)                                        \
    template XTAPE_API X ops::viewed(X, std::span<const ViewWord>); \
    template XTAPE_API X ops::unviewed(X, const Shape&, std::span<const ViewWord>);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
