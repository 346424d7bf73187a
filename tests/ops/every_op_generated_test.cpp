// Every op on shapes and values that RapidCheck generates and, where one fails, shrinks: values against references and
// plain loops, both modes of differentiation against each other, gradients against differences. The inputs chosen with
// care, and all else that is the same for all ops, are opcheck's.
#include <fmt/format.h>

#include <algorithm>
#include <autograd/check/gradcheck.hpp>
#include "tests/specs/registry.hpp"
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "rapidcheck.h"
#include "tests/testing.hpp"

namespace {

/// The shape with one more axis, of this extent, in place `axis`. (Not by insert(), of which g++ 12 warns without reason.)
autograd::Shape with_axis(const autograd::Shape& shape, std::size_t axis, std::size_t extent) {
    autograd::Shape result;
    for (std::size_t i = 0; i <= shape.size(); ++i) {
        if (i == axis) result.push_back(extent);
        if (i < shape.size()) result.push_back(shape[i]);
    }
    return result;
}

using namespace autograd;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
template <class T>
constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());

using Values = std::vector<double>;
using Domain = OpDomain;

// ---- What is generated ----

struct Case {
    std::vector<Shape> shapes;
    std::vector<Values> values;        ///< of each input, floats all of them
    std::vector<std::size_t> choices;  ///< what an op makes of them is its own: axes, flags, counts
    std::size_t least_rank = 0;        ///< below which shrinking does not go
    int order = 0;                     ///< of the derivatives to compare with differences; 0: none
    bool special = false;              ///< holds zeros, infinities, NaN: only the value is compared
};

void showValue(const Case& shown, std::ostream& stream) {  // the name that RapidCheck asks for
    for (std::size_t k = 0; k < shown.shapes.size(); ++k) {
        stream << fmt::format("input {} of shape {}: {{{}}}\n", k, to_string(shown.shapes[k]),
                              fmt::join(shown.values[k], ", "));
    }
    stream << fmt::format("choices {{{}}}, order {}{}", fmt::join(shown.choices, ", "), shown.order,
                          shown.special ? ", special values" : "");
}

class Source {
   public:
    explicit Source(rc::Random random) : random_(random) {}
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_.next() % count); }
    bool one_in(std::size_t count) { return below(count) == 0; }
    template <class List>
    auto any_of(const List& list) {
        return list.begin()[below(list.size())];
    }

   private:
    rc::Random random_;
};

/// Rank 0 to `max_rank`, and not more than some hundred elements.
Shape any_shape(Source& source, std::size_t max_rank = 4, bool may_be_empty = true) {
    constexpr std::size_t most = 160;
    Shape shape;
    std::size_t count = 1;
    for (std::size_t rank = source.below(max_rank + 1); rank > 0; --rank) {
        std::size_t extent = source.any_of(std::initializer_list<std::size_t>{1, 2, 3, 5, 9, 17});
        if (may_be_empty && source.one_in(20)) extent = 0;
        if (extent * count > most) extent = 1 + source.below(2);
        count *= std::max<std::size_t>(extent, 1);
        shape.push_back(extent);
    }
    return shape;
}

/// A shape that broadcasts to `space`.
Shape part_of(Source& source, const Shape& space) {
    if (source.one_in(3)) return space;
    const std::size_t dropped = source.one_in(2) ? source.below(space.size() + 1) : 0;
    Shape shape(space.begin() + static_cast<std::ptrdiff_t>(dropped), space.end());
    for (std::size_t& extent : shape) {
        if (source.one_in(3)) extent = 1;
    }
    return shape;
}

/// What values are shrunk to: different for each input, and away from 0 and whole numbers, where kinks are.
double simple_number(Domain domain, std::size_t input) {
    return domain.low + (domain.high - domain.low) * (41.0 / 64 + static_cast<double>(input) / 16);
}

/// In the domain, with `edges` one in ten at its ends.
double any_number(Source& source, Domain domain, bool edges) {
    constexpr std::size_t steps = 1 << 20;
    std::size_t step = source.below(steps + 1);
    if (edges && source.one_in(10)) step = source.one_in(2) ? 0 : steps;
    const double number = domain.low + (domain.high - domain.low) * static_cast<double>(step) / steps;
    const auto narrow = static_cast<float>(number);  // which may be rounded out of the domain
    return double{narrow} < domain.low || double{narrow} > domain.high ? number : double{narrow};
}

double any_special(Source& source) {
    return source.any_of(
        std::initializer_list<double>{0.0, -0.0, infinity, -infinity, not_a_number, 0.5, 1, -1, 2, -2.5, 3});
}

Values any_values(Source& source, const Shape& shape, Domain domain, bool special, bool edges = true) {
    Values values(element_count(shape));
    for (double& each : values) {
        each = special && source.one_in(3) ? any_special(source) : any_number(source, domain, edges);
    }
    return values;
}

std::size_t flat_index(const Shape& index, const Shape& shape) {
    std::size_t flat = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) flat = flat * shape[axis] + index[axis];
    return flat;
}
Shape index_at(std::size_t flat, const Shape& shape) {
    Shape index(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0; flat /= shape[axis]) index[axis] = flat % shape[axis];
    return index;
}
/// Where an element of what `shape` broadcasts to comes from.
std::size_t broadcast_source(const Shape& index, const Shape& shape) {
    Shape own(index.end() - static_cast<std::ptrdiff_t>(shape.size()), index.end());
    for (std::size_t axis = 0; axis < shape.size(); ++axis) own[axis] = shape[axis] == 1 ? 0 : own[axis];
    return flat_index(own, shape);
}

/// The first elements of each axis, as many as the new shape has; or all in a shape without leading ones.
Values cropped(const Values& from, const Shape& old_shape, const Shape& new_shape) {
    Values to(element_count(new_shape));
    for (std::size_t i = 0; i < to.size(); ++i) {
        Shape index(old_shape.size(), 0);
        const Shape given = index_at(i, new_shape);
        std::copy(given.begin(), given.end(), index.end() - static_cast<std::ptrdiff_t>(given.size()));
        to[i] = from[flat_index(index, old_shape)];
    }
    return to;
}

/// Simpler cases: fewer axes and smaller extents in all inputs that have them, simpler choices, simpler values.
template <class Simple>
rc::Seq<Case> simpler(const Case& from, Simple simple_value) {
    std::vector<Case> found;
    std::size_t rank = 0;
    for (const Shape& shape : from.shapes) rank = std::max(rank, shape.size());
    const auto crop = [&](auto change) {
        Case to = from;
        for (std::size_t k = 0; k < to.shapes.size(); ++k) {
            change(to.shapes[k]);
            to.values[k] = cropped(from.values[k], from.shapes[k], to.shapes[k]);
        }
        if (to.shapes != from.shapes) found.push_back(std::move(to));
    };
    for (std::size_t from_last = rank; from_last > 0; --from_last) {  // axes are counted as in broadcasting
        for (const std::size_t divisor : {0u, 2u, 1u}) {
            crop([&](Shape& shape) {
                if (shape.size() < from_last) return;
                std::size_t& extent = shape[shape.size() - from_last];
                if (extent > 1) extent = divisor == 0 ? 1 : divisor == 1 ? extent - 1 : extent / 2;
            });
        }
    }
    crop([&](Shape& shape) {
        if (shape.size() == rank && rank > from.least_rank && shape[0] == 1) shape = Shape(shape.begin() + 1, shape.end());
    });
    for (std::size_t k = 0; k < from.choices.size(); ++k) {
        for (const std::size_t choice : {std::size_t{0}, from.choices[k] / 2, from.choices[k] - 1}) {
            if (choice >= from.choices[k]) continue;
            found.push_back(from);
            found.back().choices[k] = choice;
        }
    }
    if (from.order > 0) {
        found.push_back(from);
        --found.back().order;
    }
    const auto differs = [](double a, double b) { return !(a == b && std::signbit(a) == std::signbit(b)); };
    for (std::size_t k = 0; k < from.values.size(); ++k) {
        const double simple = simple_value(k);
        if (std::none_of(from.values[k].begin(), from.values[k].end(), [&](double x) { return differs(x, simple); })) {
            continue;
        }
        found.push_back(from);
        std::fill(found.back().values[k].begin(), found.back().values[k].end(), simple);
        for (std::size_t i = 0; i < from.values[k].size(); ++i) {
            if (!differs(from.values[k][i], simple)) continue;
            found.push_back(from);
            found.back().values[k][i] = simple;
        }
    }
    return rc::seq::fromContainer(std::move(found));
}

template <class Make, class Simple>
rc::Gen<Case> cases(Make make, Simple simple_value) {
    return [=](const rc::Random& random, int) {
        Source source(random);
        return rc::shrinkable::shrinkRecur(make(source), [=](const Case& each) { return simpler(each, simple_value); });
    };
}

struct Silent : rc::detail::TestListener {
    void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
    void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
    void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

/// Runs check(case), which returns what is wrong or "", on `count` cases, always the same.
template <class Check>
void for_all(const std::string& name, const rc::Gen<Case>& gen, int count, Check check) {
    const auto property = [&] {
        const Case each = *gen;
        std::string failure;
        try {
            failure = check(each);
        } catch (const std::exception& error) {
            failure = std::string("it threw: ") + error.what();
        }
        if (!failure.empty()) RC_FAIL(name + ": " + failure);
    };
    rc::detail::TestParams params;
    params.seed = 20240607;
    params.maxSuccess = count;
    Silent silent;
    const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{name, name}, params, silent);
    std::ostringstream text;
    rc::detail::printResultMessage(result, text);
    INFO(name << ": " << text.str());
    CHECK(result.template is<rc::detail::SuccessResult>());
}

// ---- What is checked of any op ----

/// NaN equals NaN, an infinity only itself.
bool close(double found, double expected, double tolerance) {
    if (std::isnan(expected)) return std::isnan(found);
    if (std::isinf(expected)) return found == expected;
    return std::fabs(found - expected) <= tolerance;
}

template <class T>
Array<T> array_of(const Shape& shape, const Values& values) {
    Array<T> array = empty<T>(shape);
    std::transform(values.begin(), values.end(), array.data(), [](double each) { return static_cast<T>(each); });
    return array;
}

template <class T>
std::vector<Var<T>> variables(Tape<T>& tape, const Case& from) {
    std::vector<Var<T>> inputs;
    for (std::size_t k = 0; k < from.shapes.size(); ++k) {
        inputs.push_back(tape.variable(array_of<T>(from.shapes[k], from.values[k])));
    }
    return inputs;
}

double dot(const Array<double>& a, const Array<double>& b) {
    double total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += a.data()[i] * b.data()[i];
    return total;
}

using Gradients = std::vector<std::optional<Array<double>>>;

/// Of the weighted sum of y; float ones as double.
template <class T>
Gradients gradients_of_sum(const Var<T>& y, const std::vector<Var<T>>& inputs) {
    Gradients result(inputs.size());
    const Var<T> loss = sum(y * y.tape().constant(sample<T>(y.shape(), 3)));
    if (!y.tape().node(loss.index()).needs_gradient) return result;
    const auto gradients = backward(loss);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (const Array<T>* each = gradients.find(inputs[k])) result[k] = Array<double>(*each);
    }
    return result;
}

/// <u, J v> = <J' u, v>, v moving all inputs that have gradients at once, and gradients of the inputs' shapes.
std::string dot_product(const Var<double>& y, const std::vector<Var<double>>& inputs, const Gradients& gradients) {
    const Array<double> weights = sample<double>(y.shape(), 3);
    std::vector<Direction<double>> directions;
    double reverse = 0, size = 1;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        const Array<double> direction = sample<double>(inputs[k].shape(), 11 + static_cast<int>(k));
        directions.emplace_back(inputs[k], direction);
        if (!gradients[k]) continue;
        if (gradients[k]->shape() != inputs[k].shape()) {
            return fmt::format("the gradient of input {} has shape {}", k, to_string(gradients[k]->shape()));
        }
        reverse += dot(*gradients[k], direction);
        size += std::sqrt(dot(*gradients[k], *gradients[k]) * dot(direction, direction));
    }
    const auto tangent = find_tangent(y, std::span<const Direction<double>>(directions));
    const bool any = std::any_of(gradients.begin(), gradients.end(), [](const auto& each) { return each.has_value(); });
    if (tangent.has_value() != any) return "one mode finds no derivative, the other does";
    if (!tangent) return "";
    if (tangent->shape() != y.shape()) return "the tangent has shape " + to_string(tangent->shape());
    const double forward = dot(weights, *tangent);
    if (close(forward, reverse, 1e-12 * size)) return "";
    return fmt::format("forward mode gives {}, reverse mode {}", forward, reverse);
}

std::string differences(const OpCall& call, const Case& at, const std::vector<bool>& held) {
    std::vector<Array<double>> free;
    for (std::size_t k = 0; k < at.shapes.size(); ++k) {
        if (!held[k]) free.push_back(array_of<double>(at.shapes[k], at.values[k]));
    }
    const auto f = [&](std::span<const Var<double>> v) {
        std::vector<Var<double>> inputs;
        for (std::size_t k = 0, next = 0; k < at.shapes.size(); ++k) {
            inputs.push_back(held[k] ? v.front().tape().constant(array_of<double>(at.shapes[k], at.values[k]))
                                     : v[next++]);
        }
        return call(std::span<const Var<double>>(inputs));
    };
    const auto report = gradcheck_list(f, free, {.order = at.order, .directions = 1});
    return report ? "" : report.text();
}

// ---- Elementwise ops ----

Case elementwise_case(Source& source, const OpSpec& spec) {
    Case made;
    made.order = source.one_in(24) ? 2 : source.one_in(8) ? 1 : 0;
    made.special = made.order == 0 && source.one_in(3);
    const Shape space = any_shape(source, made.order > 0 ? 2 : 4);
    for (std::size_t k = 0; k < spec.arity; ++k) {
        made.shapes.push_back(spec.arity == 1 ? space : part_of(source, space));
        // Not at the edges where order 2 is checked: two inputs there are equal, a kink of maximum.
        made.values.push_back(any_values(source, made.shapes[k], spec.domain[k], made.special, made.order < 2));
    }
    return made;
}

struct ElementwiseCheck {
    const OpSpec& spec;

    template <class T>
    double unit(double expected) const {  // as opcheck has it
        const double smallest = static_cast<double>(std::numeric_limits<T>::min());
        // digamma's reference adds terms up to 4 in long double, which near the root at 1.46 cancel.
        if ((spec.name == "digamma" || spec.name == "polygamma") && std::fabs(expected) < 0.01) {
            return 16 * static_cast<double>(std::numeric_limits<long double>::epsilon()) +
                   spec.ulps * epsilon<T> * std::fabs(expected);
        }
        return spec.ulps * epsilon<T> * std::max(std::fabs(expected), smallest) +
               0.5 * epsilon<double> * std::fabs(expected);
    }

    template <class T>
    std::string value(const Case& at, const Var<T>& y) const {
        const char* type = sizeof(T) == sizeof(float) ? "float" : "double";
        Shape shape;
        for (const Shape& each : at.shapes) shape = broadcast_shapes(shape, each);
        if (y.shape() != shape) return fmt::format("in {} the value has shape {}", type, to_string(y.shape()));
        const bool propagates = std::string_view(spec.documentation.nan) == Documentation{}.nan;
        for (std::size_t i = 0; i < element_count(shape); ++i) {
            const Shape index = index_at(i, shape);
            std::array<double, OpOracle::max_inputs> x{};
            bool nan_comes_in = false;
            for (std::size_t k = 0; k < spec.arity; ++k) {
                x[k] = double{static_cast<T>(at.values[k][broadcast_source(index, at.shapes[k])])};
                nan_comes_in |= std::isnan(x[k]) && !spec.in_double->cuts(k);
            }
            const double expected = nan_comes_in && propagates ? not_a_number : spec.reference(x.data());
            const double found = static_cast<double>(y.value().data()[i]);
            // Outside of the domains terms may cancel, as in logaddexp(-1, -0.49), to the rounding of their own size.
            double size = std::fabs(expected);
            for (std::size_t k = 0; k < spec.arity && spec.arity > 1; ++k) {
                const auto [low, high] = spec.domain[k];
                if (std::isfinite(x[k]) && (x[k] < low || x[k] > high)) size = std::max(size, std::fabs(x[k]));
            }
            if (close(found, expected, unit<T>(expected) + spec.ulps * epsilon<T> * (size - std::fabs(expected)))) {
                continue;
            }
            return fmt::format("in {} element {} is {}, the reference of {} gives {}", type, i, found,
                               fmt::join(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(spec.arity), ", "),
                               expected);
        }
        return "";
    }

    std::string operator()(const Case& at) const {
        Tape<float> in_float;
        Tape<double> in_double;
        const auto narrow = variables(in_float, at);
        const auto wide = variables(in_double, at);
        const auto z = spec.call(std::span<const Var<float>>(narrow));
        const auto y = spec.call(std::span<const Var<double>>(wide));
        std::string failure = value(at, z);
        if (failure.empty()) failure = value(at, y);
        if (!failure.empty()) return failure;
        const Gradients gradients = gradients_of_sum(y, wide), float_gradients = gradients_of_sum(z, narrow);
        std::vector<bool> held;
        bool all_cut = true;
        for (std::size_t k = 0; k < spec.arity; ++k) {
            held.push_back(spec.domain[k].low == spec.domain[k].high);
            all_cut &= spec.in_double->cuts(k);
            if (gradients[k].has_value() == spec.in_double->cuts(k) ||
                gradients[k].has_value() != float_gradients[k].has_value()) {
                return fmt::format("whether input {} gets a gradient", k);
            }
            if (!gradients[k]) continue;
            if (gradients[k]->shape() != at.shapes[k] || float_gradients[k]->shape() != at.shapes[k]) {
                return fmt::format("the gradient of input {} has shape {}, in float {}", k,
                                   to_string(gradients[k]->shape()), to_string(float_gradients[k]->shape()));
            }
            if (at.special) continue;
            // The same roundings as opcheck allows for each of the terms of a sum, of which none is much larger than
            // all.
            const auto terms = static_cast<double>(y.value().size()) / static_cast<double>(gradients[k]->size());
            double size = 1;
            for (const double each : *gradients[k]) size = std::max(size, std::fabs(each));
            for (std::size_t i = 0; i < gradients[k]->size(); ++i) {
                const double found = float_gradients[k]->data()[i], expected = gradients[k]->data()[i];
                if (close(found, expected, (spec.ulps + 8 + terms) * terms * epsilon<float> * size)) continue;
                return fmt::format("element {} of the gradient of input {} is {}, in float {}", i, k, expected, found);
            }
        }
        if (at.special) return "";
        failure = dot_product(y, wide, gradients);
        if (failure.empty() && at.order > 0 && !all_cut) failure = differences(spec.call, at, held);
        return failure;
    }
};

}  // namespace

TEST_CASE("elementwise ops hold on generated shapes and values", "[every_op][generated]") {
    for (const OpSpec& spec : registry()) {
        if (!spec.is_elementwise()) continue;
        const auto simple = [&](std::size_t k) { return simple_number(spec.domain[k], k); };
        for_all(spec.name, cases([&](Source& source) { return elementwise_case(source, spec); }, simple), 150,
                ElementwiseCheck{spec});
    }
}

TEST_CASE("elementwise ops name generated shapes that do not broadcast", "[every_op][generated]") {
    for (const OpSpec& spec : registry()) {
        if (spec.arity < 2) continue;
        const auto make = [&](Source& source) {
            Case made;
            Shape space = any_shape(source, 3, false);
            space.push_back(2 + source.below(4));
            made.choices = {source.below(spec.arity), source.below(space.size())};
            made.shapes.assign(spec.arity, space);
            for (const Shape& shape : made.shapes) made.values.push_back(Values(element_count(shape), 1));
            return made;
        };
        for_all(spec.name, cases(make, [](std::size_t) { return 1.0; }), 40, [&](const Case& at) -> std::string {
            Case wrong = at;
            Shape& shape = wrong.shapes[at.choices[0]];
            if (at.choices[1] >= shape.size() || shape[at.choices[1]] < 2) return "";  // which shrinking brings
            ++shape[at.choices[1]];
            wrong.values[at.choices[0]].resize(element_count(shape), 1);
            Tape<double> tape;
            const auto inputs = variables(tape, wrong);
            const std::string message =
                message_of<ShapeError>([&] { spec.call(std::span<const Var<double>>(inputs)); });
            const std::string& right = to_string(at.shapes[at.choices[0]]);
            for (const std::string& part : {spec.name, right, to_string(shape)}) {
                if (message.find(part) == std::string::npos) return "no " + part + " in: " + message;
            }
            return "";
        });
    }
}

// ---- Structured ops: each element of the result is a plain function of a list of elements of the inputs ----

namespace {

using List = std::vector<long double>;
using Place = std::pair<std::size_t, std::size_t>;  // input, element

struct Operation {
    std::string text{};  ///< the call, for a reader
    OpCall call{};
    Shape shape{};
    std::function<std::vector<Place>(const Shape& index)> places{};  ///< what the element at this index is made of
    std::function<long double(const List&)> fold{};
    bool exact = false;  ///< moves or selects elements
    bool kinks = false;  ///< where elements are equal
};

struct Family {
    std::string name;
    std::size_t inputs = 1;
    std::function<std::vector<Shape>(Source&)> shapes;
    std::function<Operation(const std::vector<Shape>& shapes, const std::vector<std::size_t>& choices)> operation;
};

long double only(const List& list) { return list.front(); }

/// The axes that bits of `choice` name, others of its bits counting them from the last.
AxisList some_axes(std::size_t choice, std::size_t rank) {
    AxisList axes;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if ((choice >> axis & 1) == 0) continue;
        const auto place = static_cast<std::ptrdiff_t>(axis);
        axes.push_back((choice >> (axis + 4) & 1) != 0 ? place - static_cast<std::ptrdiff_t>(rank) : place);
    }
    return axes;
}
std::string text_of(const AxisList& axes) { return fmt::format("{{{}}}", fmt::join(axes.begin(), axes.end(), ", ")); }

bool names(const AxisList& axes, std::size_t axis, std::size_t rank) {
    for (const std::ptrdiff_t each : axes) {
        if (each == static_cast<std::ptrdiff_t>(axis) ||
            each + static_cast<std::ptrdiff_t>(rank) == static_cast<std::ptrdiff_t>(axis))
            return true;
    }
    return false;
}

std::vector<Shape> one_shape(Source& source) { return {any_shape(source)}; }
std::vector<Shape> one_shape_with_axes(Source& source) {
    Shape shape = any_shape(source, 3);
    shape.push_back(source.below(8));
    return {shape};
}

template <class F>
Family reduction(const std::string& name, F f, long double (*fold)(const List&), bool exact, bool of_nothing) {
    const auto shapes = [of_nothing](Source& source) { return std::vector<Shape>{any_shape(source, 4, of_nothing)}; };
    const auto operation = [=](const std::vector<Shape>& in, const std::vector<std::size_t>& choices) {
        const Shape& shape = in[0];
        const std::size_t rank = shape.size();
        const AxisList axes = some_axes(choices[0], rank);
        const bool all = choices[1] % 3 == 0, keep = choices[2] % 2 == 1;
        const Axes given = all ? Axes() : Axes(axes);
        const KeepDims keepdims = keep ? KeepDims::yes : KeepDims::no;
        Operation op;
        op.text = fmt::format("{}(x, {}, keepdims = {})", name, all ? "{}" : text_of(axes), keep);
        op.call = OpCall([=](auto v) { return f(v[0], given, keepdims); });
        std::vector<bool> reduced(rank);
        for (std::size_t axis = 0; axis < rank; ++axis) {
            reduced[axis] = all || names(axes, axis, rank);
            if (!reduced[axis]) op.shape.push_back(shape[axis]);
            if (reduced[axis] && keep) op.shape.push_back(1);
        }
        op.places = [=](const Shape& index) {
            std::vector<Place> places;
            for (std::size_t i = 0; i < element_count(shape); ++i) {
                const Shape from = index_at(i, shape);
                bool here = true;
                for (std::size_t axis = 0, next = 0; axis < rank; ++axis) {
                    if (reduced[axis]) {
                        next += keep ? 1 : 0;
                    } else {
                        here &= from[axis] == index[next++];
                    }
                }
                if (here) places.emplace_back(0, i);
            }
            return places;
        };
        op.fold = fold;
        op.exact = op.kinks = exact;
        return op;
    };
    return {name, 1, shapes, operation};
}

long double sum_of(const List& list) {
    long double total = 0;
    for (const long double each : list) total += each;
    return total;
}
long double product_of(const List& list) {
    long double total = 1;
    for (const long double each : list) total *= each;
    return total;
}
long double mean_of(const List& list) { return sum_of(list) / static_cast<long double>(list.size()); }
template <bool Largest>
long double extreme_of(const List& list) {
    long double found = list.front();
    for (const long double each : list) {
        if (std::isnan(each) || std::isnan(found)) {
            found = static_cast<long double>(not_a_number);
        } else {
            found = Largest ? std::max(found, each) : std::min(found, each);
        }
    }
    return found;
}
long double logsumexp_of(const List& list) {
    long double total = 0;
    for (const long double each : list) total += std::exp(each);
    return std::log(total);
}
long double sum_of_products(const List& list) {  // of pairs
    long double total = 0;
    for (std::size_t i = 0; i + 1 < list.size(); i += 2) total += list[i] * list[i + 1];
    return total;
}

/// Of one axis, which shapes of rank 0 do not have: they are given one.
template <class Make>
Family along_axis(const std::string& name, Make make) {
    return {name, 1, one_shape_with_axes, [=](const std::vector<Shape>& in, const std::vector<std::size_t>& choices) {
                const auto rank = static_cast<std::ptrdiff_t>(in[0].size());
                const std::size_t axis = choices[0] % in[0].size();
                const auto given = static_cast<std::ptrdiff_t>(axis) - (choices[1] % 2 == 1 ? rank : 0);
                return make(in[0], axis, given, choices);
            }};
}

template <class F>
Family scan(const std::string& name, F f, long double (*fold)(const List&)) {
    return along_axis(name, [=](const Shape& shape, std::size_t axis, std::ptrdiff_t given, const auto& choices) {
        const bool initial = choices[2] % 2 == 1;
        Operation op;
        op.text = fmt::format("{}(x, {}, initial = {})", name, given, initial);
        op.call = OpCall([=](auto v) { return f(v[0], given, initial ? IncludeInitial::yes : IncludeInitial::no); });
        op.shape = shape;
        if (initial) ++op.shape[axis];
        op.places = [=](const Shape& index) {
            std::vector<Place> places;
            Shape from = index;
            for (std::size_t i = 0; i < index[axis] + (initial ? 0 : 1); ++i) {
                from[axis] = i;
                places.emplace_back(0, flat_index(from, shape));
            }
            return places;
        };
        op.fold = fold;
        return op;
    });
}

/// `count` elements of one axis, of which element i is element at(i) of x, or 0 if there is none.
template <class At>
Operation moved(const Shape& shape, std::size_t axis, std::size_t count, At at, OpCall call, std::string text) {
    Operation op;
    op.text = std::move(text);
    op.call = std::move(call);
    op.shape = shape;
    op.shape[axis] = count;
    op.places = [=](const Shape& index) -> std::vector<Place> {
        const auto from = static_cast<std::ptrdiff_t>(at(static_cast<std::ptrdiff_t>(index[axis])));
        if (from < 0 || from >= static_cast<std::ptrdiff_t>(shape[axis])) return {};
        Shape place = index;
        place[axis] = static_cast<std::size_t>(from);
        return {{0, flat_index(place, shape)}};
    };
    op.fold = sum_of;
    op.exact = true;
    return op;
}

/// The same elements in another order: places gives the index in x for one in the result.
template <class From>
Operation rearranged(const Shape& in, const Shape& out, From from, OpCall call, std::string text) {
    Operation op;
    op.text = std::move(text);
    op.call = std::move(call);
    op.shape = out;
    op.places = [=](const Shape& index) { return std::vector<Place>{{0, from(in, index)}}; };
    op.fold = only;
    op.exact = true;
    return op;
}

std::ptrdiff_t signed_of(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

std::vector<Family> shape_families() {
    std::vector<Family> all;
    all.push_back({"permute_dims", 1, one_shape, [](const auto& in, const auto& choices) {
                       const std::size_t rank = in[0].size();
                       AxisList axes;
                       std::vector<std::size_t> left, order;
                       for (std::size_t axis = 0; axis < rank; ++axis) left.push_back(axis);
                       for (std::size_t rest = choices[0]; !left.empty(); rest /= 4) {
                           const auto pick = left.begin() + signed_of(rest % left.size());
                           order.push_back(*pick);
                           axes.push_back(signed_of(*pick) - (choices[1] >> axes.size() & 1 ? signed_of(rank) : 0));
                           left.erase(pick);
                       }
                       Shape out;
                       for (const std::size_t axis : order) out.push_back(in[0][axis]);
                       const auto from = [order](const Shape& shape, const Shape& index) {
                           Shape place(index.size());
                           for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = index[i];
                           return flat_index(place, shape);
                       };
                       return rearranged(in[0], out, from, OpCall([=](auto v) { return permute_dims(v[0], axes); }),
                                         "permute_dims(x, " + text_of(axes) + ")");
                   }});
    all.push_back({"reshape", 1, one_shape, [](const auto& in, const auto& choices) {
                       const std::size_t count = element_count(in[0]);
                       Shape out{1};  // and divisors of what is left
                       std::size_t left = count;
                       for (const std::size_t divisor : {2u + choices[0] % 2, 3u + choices[1] % 3}) {
                           if (left % divisor != 0) continue;
                           out.push_back(divisor);
                           left /= divisor;
                       }
                       out.push_back(left);
                       if (count == 1 && choices[2] % 2 == 1) out = {};
                       Shape given = out;
                       if (count > 0 && choices[2] % 3 == 1 && !given.empty()) given.back() = inferred;
                       const auto from = [out](const Shape&, const Shape& index) { return flat_index(index, out); };
                       return rearranged(in[0], out, from, OpCall([=](auto v) { return reshape(v[0], given); }),
                                         "reshape(x, " + to_string(out) + ")");
                   }});
    all.push_back({"flip", 1, one_shape, [](const auto& in, const auto& choices) {
                       const AxisList axes = some_axes(choices[0], in[0].size());
                       const auto from = [axes](const Shape& shape, const Shape& index) {
                           Shape place = index;
                           for (std::size_t axis = 0; axis < shape.size(); ++axis) {
                               if (names(axes, axis, shape.size())) place[axis] = shape[axis] - 1 - index[axis];
                           }
                           return flat_index(place, shape);
                       };
                       return rearranged(in[0], in[0], from, OpCall([=](auto v) { return flip(v[0], Axes(axes)); }),
                                         "flip(x, " + text_of(axes) + ")");
                   }});
    all.push_back({"expand_dims and squeeze", 1, one_shape, [](const auto& in, const auto& choices) {
                       const auto axis = signed_of(choices[0] % (in[0].size() + 1));
                       const auto given = choices[1] % 2 == 1 ? axis - signed_of(in[0].size()) - 1 : axis;
                       Shape out = in[0];
                       out = with_axis(out, static_cast<std::size_t>(axis), 1);
                       const bool back = choices[2] % 2 == 1;
                       if (back) out = in[0];
                       const auto from = [out](const Shape&, const Shape& index) { return flat_index(index, out); };
                       return rearranged(in[0], out, from, OpCall([=](auto v) {
                                             const auto expanded = expand_dims(v[0], given);
                                             return back ? squeeze(expanded, given) : expanded;
                                         }),
                                         fmt::format("expand_dims(x, {}){}", given, back ? ", squeezed again" : ""));
                   }});
    const auto small = [](Source& source) { return std::vector<Shape>{any_shape(source, 3)}; };
    all.push_back({"broadcast_to", 1, small, [](const auto& in, const auto& choices) {
                       Shape out = in[0];
                       for (std::size_t axis = 0; axis < out.size(); ++axis) {
                           if (out[axis] == 1 && (choices[0] >> axis & 1) == 1) out[axis] = choices[1] % 4;
                       }
                       if (choices[2] % 2 == 1) out = with_axis(out, 0, choices[2] % 5);
                       const auto from = [](const Shape& shape, const Shape& index) {
                           return broadcast_source(index, shape);
                       };
                       return rearranged(in[0], out, from, OpCall([=](auto v) { return broadcast_to(v[0], out); }),
                                         "broadcast_to(x, " + to_string(out) + ")");
                   }});
    all.push_back(along_axis("roll", [](const Shape& shape, std::size_t axis, auto given, const auto& choices) {
        const auto extent = signed_of(shape[axis]), shift = signed_of(choices[2] % 40) - 20;
        return moved(
            shape, axis, shape[axis], [=](auto i) { return ((i - shift) % extent + extent) % extent; },
            OpCall([=](auto v) { return roll(v[0], shift, given); }), fmt::format("roll(x, {}, {})", shift, given));
    }));
    all.push_back(along_axis("slice", [](const Shape& shape, std::size_t axis, auto given, const auto& choices) {
        const auto extent = signed_of(shape[axis]);
        std::ptrdiff_t low = signed_of(choices[2] % (shape[axis] + 1)),
                       high = signed_of(choices[3] % (shape[axis] + 1));
        if (low > high) std::swap(low, high);
        const auto size = 1 + signed_of(choices[4] / 4 % 4);
        const bool back = choices[4] % 2 == 1 && low < high, negative = choices[4] / 2 % 2 == 1;
        const auto count = static_cast<std::size_t>((high - low + size - 1) / size);
        Slice range{low, high, size};
        if (back) range = {high - 1, low == 0 ? std::nullopt : std::optional<std::ptrdiff_t>(low - 1), -size};
        if (negative && *range.start < extent) *range.start -= extent;
        const auto at = [=](auto i) { return back ? high - 1 - i * size : low + i * size; };
        return moved(shape, axis, count, at, OpCall([=](auto v) { return slice(v[0], given, range); }),
                     fmt::format("slice(x, {}, {{{}, {}, {}}})", given, *range.start,
                                 range.stop ? std::to_string(*range.stop) : "", range.step));
    }));
    all.push_back(along_axis("pad", [](const Shape& shape, std::size_t axis, auto, const auto& choices) {
        const auto before = std::max(signed_of(choices[2] % 8) - 3, -signed_of(shape[axis]));
        const auto after =
            std::max(signed_of(choices[3] % 8) - 3, -signed_of(shape[axis]) - std::min<std::ptrdiff_t>(before, 0));
        PaddingList padding(shape.size(), Padding{});
        padding[axis] = {before, after};
        const auto count =
            static_cast<std::size_t>(std::max<std::ptrdiff_t>(signed_of(shape[axis]) + before + after, 0));
        return moved(
            shape, axis, count, [=](auto i) { return i - before; }, OpCall([=](auto v) { return pad(v[0], padding); }),
            fmt::format("pad(x), axis {} by {{{}, {}}}", axis, before, after));
    }));
    all.push_back(along_axis("take", [](const Shape& shape, std::size_t axis, auto given, const auto& choices) {
        std::vector<std::ptrdiff_t> list;
        const auto extent = signed_of(shape[axis]);
        for (std::size_t i = 0; i < choices[2] % 6 && extent > 0; ++i) {
            list.push_back(signed_of((choices[3] >> (2 * i)) % static_cast<std::size_t>(2 * extent)) - extent);
        }
        return moved(
            shape, axis, list.size(), [=](auto i) { return (list[static_cast<std::size_t>(i)] + extent) % extent; },
            OpCall([=](auto v) { return take(v[0], list, given); }),
            fmt::format("take(x, {{{}}}, {})", fmt::join(list, ", "), given));
    }));
    for (const bool upper : {false, true}) {
        const auto matrices = [](Source& source) {
            Shape shape = any_shape(source, 1);
            shape.push_back(source.below(7));
            shape.push_back(source.below(7));
            return std::vector<Shape>{shape};
        };
        all.push_back({upper ? "triu" : "tril", 1, matrices, [=](const auto& in, const auto& choices) {
                           const auto k = signed_of(choices[0] % 9) - 4;
                           Operation op;
                           op.text = fmt::format("{}(x, {})", upper ? "triu" : "tril", k);
                           op.call = OpCall([=](auto v) { return upper ? triu(v[0], k) : tril(v[0], k); });
                           op.shape = in[0];
                           op.places = [=, shape = in[0]](const Shape& index) -> std::vector<Place> {
                               const auto off = signed_of(index[index.size() - 1]) - signed_of(index[index.size() - 2]);
                               if (upper ? off < k : off > k) return {};
                               return {{0, flat_index(index, shape)}};
                           };
                           op.fold = sum_of;
                           op.exact = true;
                           return op;
                       }});
    }
    return all;
}

std::vector<Family> reduction_families() {
    std::vector<Family> all;
    all.push_back(reduction(
        "sum", [](const auto& x, auto... a) { return sum(x, a...); }, sum_of, false, true));
    all.push_back(reduction(
        "mean", [](const auto& x, auto... a) { return mean(x, a...); }, mean_of, false, false));
    all.push_back(reduction(
        "max", [](const auto& x, auto... a) { return max(x, a...); }, extreme_of<true>, true, false));
    all.push_back(reduction(
        "min", [](const auto& x, auto... a) { return min(x, a...); }, extreme_of<false>, true, false));
    all.push_back(reduction(
        "prod", [](const auto& x, auto... a) { return prod(x, a...); }, product_of, false, true));
    all.push_back(reduction(
        "logsumexp", [](const auto& x, auto... a) { return logsumexp(x, a...); }, logsumexp_of, false, false));
    all.push_back(scan(
        "cumulative_sum", [](const auto& x, auto... a) { return cumulative_sum(x, a...); }, sum_of));
    all.push_back(scan(
        "cumulative_prod", [](const auto& x, auto... a) { return cumulative_prod(x, a...); }, product_of));
    return all;
}

std::vector<Family> families_of_several() {
    std::vector<Family> all;
    for (const bool stacked : {false, true}) {
        const auto shapes = [=](Source& source) {
            Shape shape = any_shape(source, 2);
            if (!stacked) shape.push_back(1 + source.below(4));
            return std::vector<Shape>(2, shape);
        };
        all.push_back({stacked ? "stack" : "concat", 2, shapes, [=](const auto& in, const auto& choices) {
                           Shape shape = in[0];
                           const std::size_t places = shape.size() + (stacked ? 1 : 0), axis = choices[0] % places;
                           const auto given = signed_of(axis) - (choices[1] % 2 == 1 ? signed_of(places) : 0);
                           Operation op;
                           op.text = fmt::format("{}({{a, b, a}}, {})", stacked ? "stack" : "concat", given);
                           op.call = OpCall([=](auto v) {
                               const std::vector list{v[0], v[1], v[0]};
                               return stacked ? stack(list, given) : concat(list, given);
                           });
                           op.shape = shape;
                           if (stacked) {
                               op.shape = with_axis(op.shape, axis, 3);
                           } else {
                               op.shape[axis] *= 3;
                           }
                           op.places = [=](const Shape& index) {
                               Shape from = index;
                               const std::size_t part = stacked ? index[axis] : index[axis] / shape[axis];
                               if (stacked) {
                                   from.erase(from.begin() + signed_of(axis));
                               } else {
                                   from[axis] = index[axis] % shape[axis];
                               }
                               return std::vector<Place>{{part % 2, flat_index(from, shape)}};
                           };
                           op.fold = only;
                           op.exact = true;
                           return op;
                       }});
    }
    // The inputs are (..., rows, inner) and (..., inner, columns), or stored transposed; shrinking keeps them fitting
    // because it cuts axes of one number from the last in both.
    const auto shapes = [](Source& source) {
        const Shape batch = any_shape(source, 2);
        const std::size_t extent = 1 + source.below(9);
        std::vector<Shape> made{part_of(source, batch), part_of(source, batch)};
        for (Shape& shape : made) shape.insert(shape.end(), {extent, extent});
        return made;
    };
    all.push_back(
        {"matmul", 2, shapes, [](const auto& in, const auto& choices) {
             // Parts of the square matrices, so that rows, inner and columns differ.
             const auto side = [&](std::size_t k) {
                 return std::min(in[k][in[k].size() - 1], in[k][in[k].size() - 2]);
             };
             const std::size_t whole = std::min(side(0), side(1));
             const std::size_t rows = whole - choices[0] % (whole + 1), inner = whole - choices[1] % (whole + 1),
                               columns = whole - choices[2] % (whole + 1);
             const Transpose transpose{choices[3] % 2 == 1, choices[3] / 2 % 2 == 1};
             const auto cut = [](const auto& x, std::size_t first, std::size_t second) {
                 return slice(slice(x, -2, {0, signed_of(first)}), -1, {0, signed_of(second)});
             };
             Operation op;
             op.text = fmt::format("matmul of ({}, {}) and ({}, {}), transposed {} {}", rows, inner, inner, columns,
                                   transpose.a, transpose.b);
             op.call = OpCall([=](auto v) {
                 const auto a = transpose.a ? cut(v[0], inner, rows) : cut(v[0], rows, inner);
                 const auto b = transpose.b ? cut(v[1], columns, inner) : cut(v[1], inner, columns);
                 return matmul(a, b, transpose);
             });
             const Shape left(in[0].begin(), in[0].end() - 2), right(in[1].begin(), in[1].end() - 2);
             op.shape = broadcast_shapes(left, right);
             op.shape.push_back(rows);
             op.shape.push_back(columns);
             op.places = [=](const Shape& index) {
                 const std::size_t i = index[index.size() - 2], j = index[index.size() - 1];
                 const Shape batch(index.begin(), index.end() - 2);
                 const std::size_t a = broadcast_source(batch, left), b = broadcast_source(batch, right);
                 const auto place = [&](std::size_t k, std::size_t matrix, std::size_t row, std::size_t column) {
                     const std::size_t height = in[k][in[k].size() - 2], width = in[k][in[k].size() - 1];
                     return Place{k, (matrix * height + row) * width + column};
                 };
                 std::vector<Place> places;
                 for (std::size_t k = 0; k < inner; ++k) {
                     places.push_back(transpose.a ? place(0, a, k, i) : place(0, a, i, k));
                     places.push_back(transpose.b ? place(1, b, j, k) : place(1, b, k, j));
                 }
                 return places;
             };
             op.fold = sum_of_products;
             return op;
         }});
    return all;
}

Case structured_case(Source& source, const Family& family) {
    Case made;
    made.shapes = family.shapes(source);
    made.least_rank = 2;  // matrices; ops of one axis need no smaller cases either
    for (int i = 0; i < 5; ++i) made.choices.push_back(source.below(4096));
    std::size_t count = 0;
    for (const Shape& shape : made.shapes) count += element_count(shape);
    made.order = count > 20 ? 0 : source.one_in(4) ? 2 : source.one_in(3) ? 1 : 0;
    made.special = made.order == 0 && source.one_in(4);
    const bool ties = source.one_in(4);
    for (const Shape& shape : made.shapes) {
        made.values.push_back(any_values(source, shape, {}, made.special));
        if (ties)
            std::transform(made.values.back().begin(), made.values.back().end(), made.values.back().begin(),
                           [](double each) { return std::round(each); });
    }
    return made;
}

template <class T>
std::string compare_with_loops(const Operation& op, const Case& at, const Var<T>& y) {
    const char* type = sizeof(T) == sizeof(float) ? "float" : "double";
    if (y.shape() != op.shape) {
        return fmt::format("the value has shape {}, not {}", to_string(y.shape()), to_string(op.shape));
    }
    for (std::size_t i = 0; i < element_count(op.shape); ++i) {
        List list, sizes;
        for (const auto& [input, element] : op.places(index_at(i, op.shape))) {
            const auto x = static_cast<long double>(static_cast<T>(at.values[input][element]));
            list.push_back(x);
            sizes.push_back(std::isfinite(x) ? std::fabs(x) : 0);
        }
        const auto expected = static_cast<double>(op.fold(list));
        const double found = static_cast<double>(y.value().data()[i]);
        const double roundings = op.exact ? 0 : 4 + static_cast<double>(list.size());
        const double scale = op.exact ? 0
                                      : std::max(static_cast<double>(op.fold(sizes)),
                                                 static_cast<double>(std::numeric_limits<T>::min()));
        if (close(found, expected, roundings * epsilon<T> * scale)) continue;
        return fmt::format("in {} element {} is {}, by plain loops {}", type, i, found, expected);
    }
    return "";
}

bool has_equal(Values values) {
    std::sort(values.begin(), values.end());
    return std::adjacent_find(values.begin(), values.end()) != values.end();
}

std::string check_structured(const Family& family, const Case& at) {
    const Operation op = family.operation(at.shapes, at.choices);
    Tape<float> in_float;
    Tape<double> in_double;
    const auto narrow = variables(in_float, at);
    const auto wide = variables(in_double, at);
    const auto y = op.call(std::span<const Var<double>>(wide));
    std::string failure = compare_with_loops(op, at, op.call(std::span<const Var<float>>(narrow)));
    if (failure.empty()) failure = compare_with_loops(op, at, y);
    if (failure.empty() && !at.special) failure = dot_product(y, wide, gradients_of_sum(y, wide));
    if (failure.empty() && at.order > 0) {
        Case smooth = at;
        // gradcheck steps around the kinks of the value only, and on one the gradient jumps.
        if (op.kinks && has_equal(at.values[0])) smooth.order = 1;
        failure = differences(op.call, smooth, std::vector<bool>(at.shapes.size(), false));
    }
    return failure.empty() ? "" : op.text + ": " + failure;
}

void check_families(const std::vector<Family>& families) {
    for (const Family& family : families) {
        const auto make = [&](Source& source) { return structured_case(source, family); };
        for_all(family.name, cases(make, [](std::size_t) { return 1.0; }), 200,
                [&](const Case& at) { return check_structured(family, at); });
    }
}

}  // namespace

TEST_CASE("reductions and scans hold on generated shapes, axes and values", "[every_op][generated]") {
    check_families(reduction_families());
}

TEST_CASE("ops of shapes hold on generated shapes, axes and values", "[every_op][generated]") {
    check_families(shape_families());
}

TEST_CASE("ops of several arrays hold on generated shapes, axes and values", "[every_op][generated]") {
    check_families(families_of_several());
}

TEST_CASE("an axis that a generated shape does not have is named in the error", "[every_op][generated]") {
    using Call = std::function<void(const Var<double>&, std::ptrdiff_t)>;
    const std::vector<std::pair<std::string, Call>> calls{
        {"sum", [](const auto& x, auto axis) { sum(x, axis); }},
        {"mean", [](const auto& x, auto axis) { mean(x, axis); }},
        {"max", [](const auto& x, auto axis) { max(x, axis); }},
        {"min", [](const auto& x, auto axis) { min(x, axis); }},
        {"prod", [](const auto& x, auto axis) { prod(x, axis); }},
        {"logsumexp", [](const auto& x, auto axis) { logsumexp(x, axis); }},
        {"cumulative_sum", [](const auto& x, auto axis) { cumulative_sum(x, axis); }},
        {"cumulative_prod", [](const auto& x, auto axis) { cumulative_prod(x, axis); }},
        {"flip", [](const auto& x, auto axis) { flip(x, axis); }},
        {"roll", [](const auto& x, auto axis) { roll(x, 1, axis); }},
        {"slice",
         [](const auto& x, auto axis) {
             slice(x, axis, {0, 0});
         }},
        {"take", [](const auto& x, auto axis) { take(x, {0}, axis); }},
        {"concat",
         [](const auto& x, auto axis) {
             concat({x, x}, axis);
         }},
        {"squeeze", [](const auto& x, auto axis) { squeeze(x, axis); }},
    };
    const auto make = [](Source& source) {
        Case made;
        made.shapes = one_shape(source);
        made.values = {Values(element_count(made.shapes[0]), 1)};
        made.choices = {source.below(5), source.below(2)};
        return made;
    };
    for (const auto& [name, call] : calls) {
        const Call& f = call;
        const std::string& op = name;
        for_all(name, cases(make, [](std::size_t) { return 1.0; }), 40, [&](const Case& at) -> std::string {
            Tape<double> tape;
            const auto x = variables(tape, at)[0];
            const auto rank = signed_of(x.shape().size()), beyond = signed_of(at.choices[0]);
            const auto axis = at.choices[1] == 0 ? rank + beyond : -rank - 1 - beyond;
            const std::string message = message_of<ShapeError>([&] { f(x, axis); });
            for (const std::string& part : {op, std::to_string(axis)}) {
                if (message.find(part) == std::string::npos) return "no " + part + " in: " + message;
            }
            return "";
        });
    }
}
