// oneDNN's primitives want arrays in layouts of their own, and are made for one set of extents. A Primitive here is one with
// what brings row-major arrays into its layouts and back.
#include "autograd/kernels/onednn_convolution.hpp"

#include "autograd/base/array.hpp"
#include "autograd/base/error.hpp"
#include "autograd/kernels/calls.hpp"
#include "autograd/kernels/onednn.hpp"

#ifdef XTAPE_ONEDNN
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#endif

namespace autograd::kernels {

#ifdef XTAPE_ONEDNN

namespace {

using dnnl::memory;

dnnl::engine& processor() {
    static dnnl::engine& engine = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

memory::dim dim(std::size_t extent) { return static_cast<memory::dim>(extent); }

/// What a primitive reads and writes, by oneDNN's numbers. Kept, as the rest, because to make one takes calls of the heap.
using Arguments = std::unordered_map<int, memory>;

/// One of the three arrays, as it is given and as the primitive wants it.
struct Operand {
    memory::desc given, wanted{};
    memory given_memory{}, wanted_memory{};
    std::optional<dnnl::reorder> reorder{};
    Arguments reordered{};

    bool is_given_as_wanted() const { return given == wanted; }
};

/// An axis's padding at its far end, which may be negative: windows end there.
std::ptrdiff_t padding_behind(const WindowAxis& axis) {
    const auto covered = static_cast<std::ptrdiff_t>((axis.count - 1) * axis.stride + (axis.size - 1) * axis.dilation + 1);
    return covered - static_cast<std::ptrdiff_t>(axis.extent + axis.padding);
}

class Primitive {
   public:
    Primitive(Side side, const ConvolutionExtents& extents);

    /// Whether oneDNN has a kernel.
    bool is_there() const { return primitive_.has_value(); }

    void run(float* x, float* y, float* w);

   private:
    /// Keeps what was found, if it is more than a plain loop.
    template <class Kind, class Description>
    void take(const Description& description, const memory::desc& x, const memory::desc& y, const memory::desc& w);

    Operand& operand(Side side) { return operands_[static_cast<std::size_t>(side)]; }

    static constexpr std::size_t count = 3;
    Side side_;
    std::array<Operand, count> operands_;  // in the order of Side
    memory scratch_{};
    Arguments arguments_{};
    dnnl::stream stream_{};
    std::optional<dnnl::primitive> primitive_;
};

Primitive::Primitive(Side side, const ConvolutionExtents& e) : side_(side) {
    require_room_for_onednn();
    using Format = memory::format_tag;
    const bool grouped = e.groups > 1;
    const memory::dims x{dim(e.pictures), dim(e.channels), dim(e.rows.extent), dim(e.columns.extent)};
    const memory::dims y{dim(e.pictures), dim(e.outputs), dim(e.rows.count), dim(e.columns.count)};
    memory::dims w{dim(e.outputs / e.groups), dim(e.channels / e.groups), dim(e.rows.size), dim(e.columns.size)};
    if (grouped) w.insert(w.begin(), dim(e.groups));
    const auto given = [](const memory::dims& dims, Format format) {
        return memory::desc(dims, memory::data_type::f32, format);
    };
    operand(Side::pictures).given = given(x, Format::nchw);
    operand(Side::outputs).given = given(y, Format::nchw);
    operand(Side::weight).given = given(w, grouped ? Format::goihw : Format::oihw);
    const memory::desc any_x = given(x, Format::any), any_y = given(y, Format::any), any_w = given(w, Format::any);

    const memory::dims strides{dim(e.rows.stride), dim(e.columns.stride)};
    const memory::dims dilations{dim(e.rows.dilation - 1), dim(e.columns.dilation - 1)};
    const memory::dims before{dim(e.rows.padding), dim(e.columns.padding)};
    const memory::dims behind{padding_behind(e.rows), padding_behind(e.columns)};
    const auto direct = dnnl::algorithm::convolution_direct;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    using Forward = dnnl::convolution_forward;
    using ToPictures = dnnl::convolution_backward_data;
    using ToWeight = dnnl::convolution_backward_weights;
    const auto training = dnnl::prop_kind::forward_training;
    try {
#if DNNL_VERSION_MAJOR >= 3
        const Forward::primitive_desc forward(processor(), training, direct, any_x, any_w, any_y, strides, dilations, before,
                                              behind, attributes);
        const auto to_pictures = [&] {
            return ToPictures::primitive_desc(processor(), direct, any_x, any_w, any_y, strides, dilations, before, behind,
                                              forward, attributes);
        };
        const auto to_weight = [&] {
            return ToWeight::primitive_desc(processor(), direct, any_x, any_w, any_y, strides, dilations, before, behind,
                                            forward, attributes);
        };
#else
        const Forward::primitive_desc forward({training, direct, any_x, any_w, any_y, strides, dilations, before, behind},
                                              attributes, processor());
        const auto to_pictures = [&] {
            return ToPictures::primitive_desc({direct, any_x, any_w, any_y, strides, dilations, before, behind}, attributes,
                                              processor(), forward);
        };
        const auto to_weight = [&] {
            return ToWeight::primitive_desc({direct, any_x, any_w, any_y, strides, dilations, before, behind}, attributes,
                                            processor(), forward);
        };
#endif
        if (side == Side::outputs) {
            take<Forward>(forward, forward.src_desc(), forward.dst_desc(), forward.weights_desc());
        } else if (side == Side::pictures) {
            const auto found = to_pictures();
            take<ToPictures>(found, found.diff_src_desc(), found.diff_dst_desc(), found.weights_desc());
        } else {
            const auto found = to_weight();
            take<ToWeight>(found, found.src_desc(), found.diff_dst_desc(), found.diff_weights_desc());
        }
    } catch (const dnnl::error& error) {
        if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
    }
}

template <class Kind, class Description>
void Primitive::take(const Description& description, const memory::desc& x, const memory::desc& y, const memory::desc& w) {
    if (std::string_view(description.impl_info_str()).find("ref") != std::string_view::npos) return;
    operand(Side::pictures).wanted = x;
    operand(Side::outputs).wanted = y;
    operand(Side::weight).wanted = w;
    for (Operand& each : operands_) {
        each.given_memory = memory(each.given, processor(), nullptr);
        each.wanted_memory = memory(each.wanted, processor(), nullptr);
        if (each.is_given_as_wanted()) continue;
        const bool is_result = &each == &operand(side_);
        const memory& from = is_result ? each.wanted_memory : each.given_memory;
        const memory& to = is_result ? each.given_memory : each.wanted_memory;
        each.reorder = dnnl::reorder(from, to);
        each.reordered = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    }
    scratch_ = memory(description.scratchpad_desc(), processor(), nullptr);
    const bool to_pictures = side_ == Side::pictures, to_weight = side_ == Side::weight;
    arguments_ = {{to_pictures ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, operand(Side::pictures).wanted_memory},
                  {to_weight ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, operand(Side::weight).wanted_memory},
                  {side_ == Side::outputs ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, operand(Side::outputs).wanted_memory},
                  {DNNL_ARG_SCRATCHPAD, scratch_}};
    stream_ = dnnl::stream(processor());
    primitive_ = Kind(description);
}

void Primitive::run(float* x, float* y, float* w) {
    std::array<float*, count> pointers{};
    pointers[static_cast<std::size_t>(Side::pictures)] = x;
    pointers[static_cast<std::size_t>(Side::outputs)] = y;
    pointers[static_cast<std::size_t>(Side::weight)] = w;
    std::array<Array<float>, count> room;
    for (std::size_t i = 0; i < count; ++i) {
        Operand& each = operands_[i];
        each.given_memory.set_data_handle(pointers[i]);
        if (each.is_given_as_wanted()) {
            each.wanted_memory.set_data_handle(pointers[i]);
            continue;
        }
        room[i] = empty<float>({each.wanted.get_size() / sizeof(float)});
        each.wanted_memory.set_data_handle(room[i].data());
        if (&each != &operand(side_)) static_cast<dnnl::primitive&>(*each.reorder).execute(stream_, each.reordered);
    }
    Array<float> scratch_room = empty<float>({scratch_.get_desc().get_size() / sizeof(float) + 1});
    scratch_.set_data_handle(scratch_room.data());
    primitive_->execute(stream_, arguments_);
    Operand& result = operand(side_);
    if (result.reorder) static_cast<dnnl::primitive&>(*result.reorder).execute(stream_, result.reordered);
    stream_.wait();
}

using Key = std::array<std::size_t, 17>;

Key key_of(Side side, const ConvolutionExtents& e) {
    const auto &r = e.rows, &c = e.columns;
    return {static_cast<std::size_t>(side),
            e.pictures,
            e.channels,
            e.outputs,
            e.groups,
            r.extent,
            r.size,
            r.count,
            r.stride,
            r.padding,
            r.dilation,
            c.extent,
            c.size,
            c.count,
            c.stride,
            c.padding,
            c.dilation};
}

/// The end of a thread destroys what it keeps, in an order that nobody knows: what comes after that has no primitives.
constinit thread_local bool primitives_are_gone = false;

/// Of this thread; null if there is no kernel. A program of ever new extents starts afresh from time to time.
Primitive* primitive_for(Side side, const ConvolutionExtents& extents) {
    struct Kept {
        std::map<Key, Primitive> primitives;
        ~Kept() { primitives_are_gone = true; }
    };
    constexpr std::size_t most = 128;
    if (primitives_are_gone) return nullptr;
    thread_local Kept kept;
    const Key key = key_of(side, extents);
    auto found = kept.primitives.find(key);
    if (found == kept.primitives.end()) {
        if (kept.primitives.size() >= most) kept.primitives.clear();
        found = kept.primitives.try_emplace(key, side, extents).first;
    }
    return found->second.is_there() ? &found->second : nullptr;
}

/// What oneDNN's kernels for usual convolutions are meant for.
bool is_usual(const WindowAxis& axis) {
    const auto span = static_cast<std::ptrdiff_t>((axis.size - 1) * axis.dilation + 1);
    const std::ptrdiff_t behind = padding_behind(axis);
    return static_cast<std::ptrdiff_t>(axis.padding) < span && behind < span &&
           behind > -static_cast<std::ptrdiff_t>(axis.stride);
}

[[noreturn]] void report(const dnnl::error& error) {
    throw Error(std::string("oneDNN could not compute a convolution: ") + error.what());
}

}  // namespace

bool onednn_convolves(Side side, const ConvolutionExtents& extents) {
    if (!uses_onednn() || !is_usual(extents.rows) || !is_usual(extents.columns)) return false;
    const WithoutOpenMpTeam on_this_thread;
    try {
        return primitive_for(side, extents) != nullptr;
    } catch (const dnnl::error& error) {
        report(error);
    }
}

void convolve_by_onednn(Side side, float* x, float* y, float* w, const ConvolutionExtents& extents) {
    static constinit std::array<std::atomic<bool>, 3> has_kernels{};  // of each side
    const WithoutOpenMpTeam on_this_thread;
    try {
        Primitive* primitive = primitive_for(side, extents);
        // Another thread found one, but this one lacks memory for it, say.
        if (primitive == nullptr) throw Error("oneDNN has no kernel for a convolution any more that it had one for");
        primitive->run(x, y, w);
        if (!has_kernels[static_cast<std::size_t>(side)].exchange(true, std::memory_order_relaxed))
            watch_other_ends_of_onednn();
    } catch (const dnnl::error& error) {
        report(error);
    }
}

#else

bool onednn_convolves(Side, const ConvolutionExtents&) { return false; }

void convolve_by_onednn(Side, float*, float*, float*, const ConvolutionExtents&) {
    throw Error("xtape was built without oneDNN");
}

#endif

}  // namespace autograd::kernels
