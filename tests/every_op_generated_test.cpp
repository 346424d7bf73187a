// Every op on shapes and values that RapidCheck generates and, where one fails, shrinks: values against references and
// plain loops, both modes of differentiation against each other, gradients against differences. The inputs chosen with
// care, and all else that is the same for all ops, are opcheck's.
#include <fmt/format.h>

#include <algorithm>
#include <autograd/gradcheck.hpp>
#include <autograd/registry.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "rapidcheck.h"
#include "testing.hpp"

namespace {

using namespace autograd;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
template <class T>
constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());

using Values = std::vector<double>;
using Domain = Documentation::Domain;

// ---- What is generated ----

struct Case {
    std::vector<Shape> shapes;
    std::vector<Values> values;       ///< of each input, floats all of them
    std::vector<std::size_t> choices; ///< what an op makes of them is its own: axes, flags, counts
    int order = 0;                    ///< of the derivatives to compare with differences; 0: none
    bool special = false;             ///< holds zeros, infinities, NaN: only the value is compared
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

double middle_of(Domain domain) { return (domain.low + domain.high) / 2; }

/// In the domain, one in ten at its edges.
double any_number(Source& source, Domain domain) {
    constexpr std::size_t steps = 1 << 20;
    std::size_t step = source.below(steps + 1);
    if (source.one_in(10)) step = source.one_in(2) ? 0 : steps;
    const double number = domain.low + (domain.high - domain.low) * static_cast<double>(step) / steps;
    const auto narrow = static_cast<float>(number);  // which may be rounded out of the domain
    return double{narrow} < domain.low || double{narrow} > domain.high ? number : double{narrow};
}

double any_special(Source& source) {
    return source.any_of(
        std::initializer_list<double>{0.0, -0.0, infinity, -infinity, not_a_number, 0.5, 1, -1, 2, -2.5, 3});
}

Values any_values(Source& source, const Shape& shape, Domain domain, bool special) {
    Values values(element_count(shape));
    for (double& each : values) {
        each = special && source.one_in(3) ? any_special(source) : any_number(source, domain);
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
        if (shape.size() == rank && rank > 0 && shape[0] == 1) shape = Shape(shape.begin() + 1, shape.end());
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
        return rc::shrinkable::shrinkRecur(make(source),
                                           [=](const Case& each) { return simpler(each, simple_value); });
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
            inputs.push_back(
                held[k] ? v.front().tape().constant(array_of<double>(at.shapes[k], at.values[k])) : v[next++]);
        }
        return call(std::span<const Var<double>>(inputs));
    };
    const auto report = gradcheck_list(f, free, {.order = at.order, .directions = 1});
    return report ? "" : report.text();
}

// ---- Elementwise ops ----

Case elementwise_case(Source& source, const OpRecord& record) {
    Case made;
    made.order = source.one_in(24) ? 2 : source.one_in(8) ? 1 : 0;
    made.special = made.order == 0 && source.one_in(3);
    const Shape space = any_shape(source, made.order > 0 ? 2 : 4);
    for (std::size_t k = 0; k < record.arity; ++k) {
        made.shapes.push_back(record.arity == 1 ? space : part_of(source, space));
        made.values.push_back(any_values(source, made.shapes[k], record.documentation.domain[k], made.special));
    }
    return made;
}

struct ElementwiseCheck {
    const OpRecord& record;
    const Documentation& about = record.documentation;

    template <class T>
    double unit(double expected) const {  // as opcheck has it
        const double smallest = static_cast<double>(std::numeric_limits<T>::min());
        return about.ulps * epsilon<T> * std::max(std::fabs(expected), smallest) +
               0.5 * epsilon<double> * std::fabs(expected);
    }

    template <class T>
    std::string value(const Case& at, const Var<T>& y) const {
        const char* type = sizeof(T) == sizeof(float) ? "float" : "double";
        Shape shape;
        for (const Shape& each : at.shapes) shape = broadcast_shapes(shape, each);
        if (y.shape() != shape) return fmt::format("in {} the value has shape {}", type, to_string(y.shape()));
        const bool propagates = std::string_view(about.nan) == Documentation{}.nan;
        for (std::size_t i = 0; i < element_count(shape); ++i) {
            const Shape index = index_at(i, shape);
            std::array<double, Documentation::max_inputs> x{};
            bool nan_comes_in = false;
            for (std::size_t k = 0; k < record.arity; ++k) {
                x[k] = double{static_cast<T>(at.values[k][broadcast_source(index, at.shapes[k])])};
                nan_comes_in |= std::isnan(x[k]) && !is_cut(*record.in_double, k);
            }
            const double expected = nan_comes_in && propagates ? not_a_number : about.reference(x.data());
            const double found = static_cast<double>(y.value().data()[i]);
            if (close(found, expected, unit<T>(expected))) continue;
            return fmt::format("in {} element {} is {}, the reference of {} gives {}", type, i, found,
                               fmt::join(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(record.arity), ", "),
                               expected);
        }
        return "";
    }

    std::string operator()(const Case& at) const {
        Tape<float> in_float;
        Tape<double> in_double;
        const auto narrow = variables(in_float, at);
        const auto wide = variables(in_double, at);
        const auto z = record.call(std::span<const Var<float>>(narrow));
        const auto y = record.call(std::span<const Var<double>>(wide));
        std::string failure = value(at, z);
        if (failure.empty()) failure = value(at, y);
        if (!failure.empty()) return failure;
        const Gradients gradients = gradients_of_sum(y, wide), float_gradients = gradients_of_sum(z, narrow);
        std::vector<bool> held;
        bool all_cut = true;
        for (std::size_t k = 0; k < record.arity; ++k) {
            held.push_back(about.domain[k].low == about.domain[k].high);
            all_cut &= is_cut(*record.in_double, k);
            if (gradients[k].has_value() == is_cut(*record.in_double, k) ||
                gradients[k].has_value() != float_gradients[k].has_value()) {
                return fmt::format("whether input {} gets a gradient", k);
            }
            if (!gradients[k]) continue;
            if (gradients[k]->shape() != at.shapes[k] || float_gradients[k]->shape() != at.shapes[k]) {
                return fmt::format("the gradient of input {} has shape {}, in float {}", k,
                                   to_string(gradients[k]->shape()), to_string(float_gradients[k]->shape()));
            }
            if (at.special) continue;
            // The same roundings as opcheck allows for each of the terms of a sum, of which none is much larger than all.
            const auto terms = static_cast<double>(y.value().size()) / static_cast<double>(gradients[k]->size());
            double size = 1;
            for (const double each : *gradients[k]) size = std::max(size, std::fabs(each));
            for (std::size_t i = 0; i < gradients[k]->size(); ++i) {
                const double found = float_gradients[k]->data()[i], expected = gradients[k]->data()[i];
                if (close(found, expected, (about.ulps + 8 + terms) * terms * epsilon<float> * size)) continue;
                return fmt::format("element {} of the gradient of input {} is {}, in float {}", i, k, expected, found);
            }
        }
        if (at.special) return "";
        failure = dot_product(y, wide, gradients);
        if (failure.empty() && at.order > 0 && !all_cut) failure = differences(record.call, at, held);
        return failure;
    }
};

}  // namespace

TEST_CASE("elementwise ops hold on generated shapes and values", "[every_op][generated]") {
    for (const OpRecord& record : registry()) {
        if (!record.is_elementwise()) continue;
        const auto simple = [&](std::size_t k) { return middle_of(record.documentation.domain[k]); };
        for_all(record.name, cases([&](Source& source) { return elementwise_case(source, record); }, simple), 150,
                ElementwiseCheck{record});
    }
}

TEST_CASE("elementwise ops name generated shapes that do not broadcast", "[every_op][generated]") {
    for (const OpRecord& record : registry()) {
        if (record.arity < 2) continue;
        const auto make = [&](Source& source) {
            Case made;
            Shape space = any_shape(source, 3, false);
            space.push_back(2 + source.below(4));
            made.choices = {source.below(record.arity), source.below(space.size())};
            made.shapes.assign(record.arity, space);
            for (const Shape& shape : made.shapes) made.values.push_back(Values(element_count(shape), 1));
            return made;
        };
        for_all(record.name, cases(make, [](std::size_t) { return 1.0; }), 40, [&](const Case& at) -> std::string {
            Case wrong = at;
            Shape& shape = wrong.shapes[at.choices[0]];
            if (at.choices[1] >= shape.size() || shape[at.choices[1]] < 2) return "";  // which shrinking brings
            ++shape[at.choices[1]];
            wrong.values[at.choices[0]].resize(element_count(shape), 1);
            Tape<double> tape;
            const auto inputs = variables(tape, wrong);
            const std::string message =
                message_of<ShapeError>([&] { record.call(std::span<const Var<double>>(inputs)); });
            const std::string& right = to_string(at.shapes[at.choices[0]]);
            for (const std::string& part : {record.name, right, to_string(shape)}) {
                if (message.find(part) == std::string::npos) return "no " + part + " in: " + message;
            }
            return "";
        });
    }
}
