// The specs of view() and its adjoint. xtensor is what they are held against.
#include "autograd/ops/view.hpp"

#include <limits>

#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {

namespace {

/// A view, and its adjoint. xtensor says what it shows: of the numbers of an array's elements, which are where.
struct ViewCase {
    OpCase view, unview;
};

/// Words in the place of others that show the same: xt::strided_view takes no places from the end.
template <class... Words>
ViewCase called_by(const ViewCase& alike, const Shape& shape, Words... words) {
    ViewCase result = alike;
    result.view.call = [=](auto v) { return view(v[0], words...); };
    result.unview.call = [=](auto v) { return unview(v[0], shape, words...); };
    return result;
}

template <class... Words>
ViewCase view_of(const char* name, const Shape& shape, Words... words) {
    xt::xarray<double> numbers = xt::arange<double>(static_cast<double>(element_count(shape)));
    numbers.reshape(shape);
    const xt::xarray<double> shown = xt::strided_view(numbers, {words...});
    const auto from = [shown, shape](const Index& index) {
        auto number = static_cast<std::size_t>(shown.element(index.begin(), index.end()));
        Index origin(shape.size());
        for (std::size_t axis = shape.size(); axis-- > 0; number /= shape[axis]) origin[axis] = number % shape[axis];
        return origin;
    };
    const Definition taken = moved(Shape(shown.shape().begin(), shown.shape().end()), from);
    return {{.name = name, .shapes = {shape}, .call = [=](auto v) { return view(v[0], words...); }, .reference = taken},
            {.name = name,
             .shapes = {taken.shape},
             .call = [=](auto v) { return unview(v[0], shape, words...); },
             .reference = moved_back(shape, taken)}};
}

std::vector<ViewCase> view_cases() {
    using namespace xt::placeholders;
    const auto all = xt::all();
    const auto new_axis = xt::newaxis();
    const auto ellipsis = xt::ellipsis();
    return {
        view_of("all, 1:5, new, 3, ...", {2, 6, 4, 3}, all, xt::range(1, 5), new_axis, 3, ellipsis),
        called_by(view_of("..., -1", {3, 17}, ellipsis, 16), {3, 17}, ellipsis, -1),
        view_of("1, ..., new", {2, 9}, 1, ellipsis, new_axis),
        view_of("new, 2, new", {4, 3}, new_axis, 2u, new_axis),
        view_of("8:1:-3, ::2", {9, 5}, xt::range(8, 1, -3), xt::range(_, _, 2)),
        view_of("1:, :-1", {3, 4, 2}, xt::range(1, _), xt::range(_, -1)),
        view_of("2:2", {4, 2}, xt::range(2, 2)),
        called_by(view_of("1:2 by the largest step", {4, 2}, xt::range(1, 2)), {4, 2},
                  xt::range(1, 2, std::numeric_limits<std::ptrdiff_t>::max())),
        view_of("all, new", {0, 2}, all, new_axis),
        called_by(view_of("every axis an index", {2, 3}, 1, 0), {2, 3}, -1, 0),
        view_of("... of a vector", {7}, ellipsis),
    };
}

OpSpec view_spec() {
    OpSpec spec{.name = "view", .documentation = ops::words::view, .ulps = 0};
    for (const ViewCase& each : view_cases()) spec.cases.push_back(each.view);
    spec.misuses = {
        {{{2, 3}}, [](auto v) { return view(v[0], 2); }, {"view", "index 2", "axis 0", "(2, 3)"}},
        {{{2, 3}}, [](auto v) { return view(v[0], xt::all(), -4); }, {"view", "index -4", "axis 1", "(2, 3)"}},
        {{{2, 3}}, [](auto v) { return view(v[0], xt::all(), xt::range(0, 4)); }, {"view", "index 4", "axis 1", "(2, 3)"}},
        {{{2, 3}}, [](auto v) { return view(v[0], xt::range(0, 2, 0)); }, {"view", "step of 0", "(2, 3)"}},
        {{{2, 3}}, [](auto v) { return view(v[0], 0, 0, xt::all()); }, {"view", "3 words", "(2, 3)"}},
        {{{2, 3}}, [](auto v) { return view(v[0], xt::ellipsis(), 0, xt::ellipsis()); }, {"view", "twice"}},
        {{{}}, [](auto v) { return view(v[0], 0); }, {"view", "1 words", "()"}},
        {{{3}}, [](auto v) { return view(v[0], v[0].shape()[0] - 4); }, {"view", "out of range", "(3,)"}},
    };
    return spec;
}

OpSpec unview_spec() {
    OpSpec spec{.name = "unview", .documentation = ops::words::unview, .ulps = 0};
    for (const ViewCase& each : view_cases()) spec.cases.push_back(each.unview);
    return spec;
}

}  // namespace

std::vector<OpSpec> view_specs() { return {view_spec(), unview_spec()}; }

}  // namespace autograd::specs
