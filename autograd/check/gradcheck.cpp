// Differences along random directions first, which take a few calls of the function for an input of any size; element
// by element only where a direction has shown that something is wrong.
#include "autograd/check/gradcheck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <ostream>
#include <set>

#include "autograd/core/tangents.hpp"
#include "autograd/ops/reductions.hpp"

namespace autograd {
namespace {

using Arrays = std::vector<Array<double>>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double first_step = 0x1p-6;
constexpr double last_step = 0x1p-19;
/// Up to this many elements each one is looked at; of more, only those of a block that is wrong.
constexpr std::size_t block = 256;
/// How far forward and reverse mode may be apart, as a fraction of |u| |J v|.
constexpr double agreement = 1e-12;
/// How often, and by how much of its scale, an element is moved away from a kink.
constexpr int attempts = 16;
constexpr double stride = 0.05;
/// Differences that do not settle to this, as a fraction of the derivative's scale, prove nothing.
constexpr double settled = 1e-5;

/// Numbers between 0.5 and 1 in magnitude, of random sign: none is so small that it hides an element.
Array<double> random_direction(Rng& rng, const Shape& shape) {
    Array<double> weights = rng.uniform<double>(shape);
    for (double& each : weights) each = each < 0.5 ? each - 1 : each;
    return weights;
}

/// What makes one number of an output which has several; of a single one, 1.
Array<double> weights_of(const Shape& shape, std::uint64_t seed) {
    if (element_count(shape) == 1) return full<double>(shape, 1);
    Rng rng = Rng(seed).stream("weights");
    return random_direction(rng, shape);
}

bool depends_on_variables(const Var<double>& v) { return v.tape().node(v.index()).needs_gradient; }

Shape index_of(std::size_t element, const Shape& shape) {
    Shape index(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        index[axis] = element % shape[axis];
        element /= shape[axis];
    }
    return index;
}

/// A random projection of the gradient of f, as a function whose gradient can be asked for in turn.
GradcheckFunction projected_gradient(const GradcheckFunction& f, std::uint64_t seed) {
    return [f, seed](std::span<const Var<double>> inputs) {
        Tape<double>& tape = inputs.front().tape();
        const Var<double> y = f(inputs);
        Var<double> total = tape.constant(full<double>({}, 0));
        if (!depends_on_variables(y)) return total;
        const auto gradients = backward(y, weights_of(y.shape(), seed), {.create_graph = true});
        Rng rng = Rng(seed).stream("projection");
        for (const Var<double>& input : inputs) {
            const auto weights = tape.constant(random_direction(rng, input.shape()));
            if (gradients.find(input) != nullptr) total = total + sum(weights * gradients.var(input));
        }
        return total;
    };
}

}  // namespace

class Gradcheck {
   public:
    Gradcheck(GradcheckFunction f, Arrays& inputs, const GradcheckOptions& options, int order, GradcheckReport& report)
        : f_(std::move(f)), inputs_(inputs), options_(options), order_(order), report_(report) {}

    void run() {
        for (int attempt = 1; attempt <= attempts; ++attempt) {
            may_step_ = options_.step_around_kinks && attempt < attempts;
            if (run_once()) return;
        }
    }

   private:
    struct Comparison {
        double backward = 0;
        double differences = 0;
        double tolerance = 0;
        bool settled = false;
        std::size_t element = 0;

        double error() const { return std::fabs(backward - differences); }
    };
    struct Derivative {
        double value = std::numeric_limits<double>::quiet_NaN();
        double error = std::numeric_limits<double>::infinity();
        double rounding = 0;  ///< of the values that it was computed from, at most
    };

    static bool agrees(const Comparison& each) { return each.settled && each.error() <= each.tolerance; }

    using Check = GradcheckReport::Check;
    /// The derivative of the weighted sum along a direction that is 0 outside of [begin, end), by one of the checks.
    using Compare = Comparison (Gradcheck::*)(std::size_t k, const Array<double>& direction, std::size_t begin,
                                              std::size_t end);

    /// False if an element was on a kink and has been moved: then all is to be done again.
    bool run_once() {
        gradients_.clear();
        absence_.clear();
        try {
            run_backward();
        } catch (const std::exception& error) {
            return fail(fmt::format("it threw: {}", error.what()));
        }
        const auto begin = centre_.data(), end = begin + centre_.size();
        const auto bad = std::find_if_not(begin, end, [](double y) { return std::isfinite(y); });
        if (bad != end) {
            return fail(fmt::format("the function gives {} at element {} of its result", *bad,
                                    to_string(index_of(static_cast<std::size_t>(bad - begin), centre_.shape()))));
        }
        const std::optional<Array<double>> again = evaluate(inputs_);
        if (!again || again->shape() != centre_.shape() || !std::equal(begin, end, again->data())) {
            return fail("two calls with the same inputs give different results: if it draws noise, let it take an "
                        "Rng& as its last argument, and pass the Rng to gradcheck");
        }
        if (options_.differences && !run_check(Check::differences, &Gradcheck::compare_differences)) return false;
        if (options_.dot_product) {
            try {
                recorded_inputs_ = variables(inputs_, forward_tape_);
                recorded_ = f_(recorded_inputs_);
                run_check(Check::dot_product, &Gradcheck::compare_forward);
                note_derived_tangents();
            } catch (const GradientError& error) {
                note(fmt::format("not compared with forward mode: {}", error.what()));
            }
        }
        return true;
    }

    /// False if an element was moved.
    bool run_check(Check check, Compare compare) {
        check_ = check;
        Rng directions = Rng(options_.seed).stream("directions");
        for (std::size_t k = 0; k < inputs_.size(); ++k) {
            for (int i = 0; i < options_.directions && inputs_[k].size() > 0; ++i) {
                const Array<double> direction = random_direction(directions, inputs_[k].shape());
                const Comparison found = (this->*compare)(k, direction, 0, inputs_[k].size());
                if (agrees(found)) continue;
                if (check == Check::differences && may_step_ && report_ && step_around_kinks(k, direction)) return false;
                locate(k, direction, compare);
                break;
            }
        }
        return true;
    }

    /// Moves the elements of input k that are on a kink. False if there are none.
    bool step_around_kinks(std::size_t k, const Array<double>& direction) {
        std::vector<std::size_t> kinks;
        bool at_edge = true;
        for (std::size_t begin = 0; begin < inputs_[k].size(); begin += block) {
            const std::size_t end = std::min(inputs_[k].size(), begin + block);
            if (end - begin < inputs_[k].size() && agrees(compare_differences(k, direction, begin, end))) continue;
            for (std::size_t i = begin; i < end; ++i) {
                const std::optional<Kink> kink = find_kink(k, i);
                if (!kink) continue;
                kinks.push_back(i);
                at_edge &= !kink->left || !kink->right;
            }
        }
        if (kinks.empty()) return false;
        const double from = inputs_[k].data()[kinks.front()];
        Rng rng = Rng(options_.seed).stream("steps");
        const Array<double> moves = random_direction(rng, inputs_[k].shape());
        for (const std::size_t i : kinks) inputs_[k].data()[i] += stride * scale(inputs_[k].data()[i]) * moves.data()[i];
        note(fmt::format("stepped {}: input {} at element {} moved from {:.6g} to {:.6g}{}",
                         at_edge ? "away from the edge of the domain" : "around a kink", k,
                         to_string(index_of(kinks.front(), inputs_[k].shape())), from, inputs_[k].data()[kinks.front()],
                         kinks.size() == 1 ? "" : fmt::format(", and {} more", kinks.size() - 1)));
        return true;
    }

    /// A tangent that was made of the rule for the gradient agrees with it, be it right or wrong.
    void note_derived_tangents() {
        std::set<std::string> names;
        const std::vector<bool> leads_to_value = ancestors(forward_tape_, recorded_.index());
        for (std::uint32_t i = 0; i <= recorded_.index(); ++i) {
            const Op<double>* op = forward_tape_.node(i).op;
            if (leads_to_value[i] && op != nullptr && op->tangent_is_derived) names.insert(op->name);
        }
        if (names.empty()) return;
        note(fmt::format("forward mode finds no fault in {}, whose tangents are derived from the rules that it checks",
                         fmt::join(names, ", ")));
    }

    void note(std::string text) {
        if (order_ > 1) text = fmt::format("order {}: {}", order_, text);
        report_.notes_.push_back(std::move(text));
    }

    bool fail(std::string message) {
        GradcheckReport::Failure failure;
        failure.order = order_;
        failure.message = std::move(message);
        report_.failures_.push_back(std::move(failure));
        return true;
    }

    std::vector<Var<double>> variables(const Arrays& values) { return variables(values, tape_); }
    static std::vector<Var<double>> variables(const Arrays& values, Tape<double>& tape) {
        tape.clear();
        std::vector<Var<double>> result;
        for (const Array<double>& each : values) result.push_back(tape.variable(each));
        return result;
    }

    void run_backward() {
        const auto inputs = variables(inputs_);
        const Var<double> y = f_(inputs);
        centre_ = y.value();
        weights_ = weights_of(centre_.shape(), options_.seed);
        rounding_ = epsilon * weighted_size(centre_);
        // What was computed on the way was rounded too, though it may have cancelled since.
        const std::vector<bool> leads_to_y = ancestors(tape_, y.index());
        for (std::uint32_t i = 0; i <= y.index(); ++i) {
            if (leads_to_y[i]) rounding_ = std::max(rounding_, epsilon * largest_value(i));
        }
        std::optional<Gradients<double>> gradients;
        if (depends_on_variables(y)) gradients = backward(y, weights_);
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            const Array<double>* gradient = gradients ? gradients->find(inputs[k]) : nullptr;
            gradients_.push_back(gradient != nullptr ? *gradient : full<double>(inputs_[k].shape(), 0));
            absence_.push_back(gradient != nullptr ? "" : why_no_gradient(y, inputs[k]));
        }
        if (order_ < options_.order && gradients) compare_with_recorded();
    }

    /// Of those of a node's elements that are finite.
    double largest_value(std::uint32_t node) const {
        double largest = 0;
        for (const double each : tape_.node(node).array()) {
            if (std::isfinite(each)) largest = std::max(largest, std::fabs(each));
        }
        return largest;
    }

    /// The recorded sweep computes the same gradient as the plain one.
    void compare_with_recorded() {
        const auto inputs = variables(inputs_);
        const Var<double> y = f_(inputs);
        const auto recorded = backward(y, weights_, {.create_graph = true});
        // What the sweep computed on the way was rounded too, though it may have cancelled since.
        double on_the_way = 0;
        for (std::size_t i = y.index() + 1; i < tape_.size(); ++i) {
            on_the_way = std::max(on_the_way, largest_value(static_cast<std::uint32_t>(i)));
        }
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            const Array<double>* gradient = recorded.find(inputs[k]);
            const Array<double> found = gradient != nullptr ? *gradient : full<double>(inputs_[k].shape(), 0);
            double scale = on_the_way;
            for (const double each : gradients_[k]) scale = std::max(scale, std::fabs(each));
            for (std::size_t i = 0; i < found.size(); ++i) {
                Comparison each{gradients_[k].data()[i], found.data()[i], 256 * epsilon * scale, true, i};
                if (agrees(each) || (std::isnan(each.backward) && std::isnan(each.differences))) continue;
                return describe(k, each,
                                fmt::format("backward() and backward({{.create_graph = true}}) disagree: {} and {}",
                                            each.backward, each.differences));
            }
        }
    }

    /// Nothing if the function throws or gives a value that is not finite there.
    std::optional<Array<double>> evaluate(const Arrays& at) {
        try {
            Array<double> y = f_(variables(at)).value();
            if (std::all_of(y.begin(), y.end(), [](double each) { return std::isfinite(each); })) return y;
        } catch (const std::exception&) {
        }
        return std::nullopt;
    }

    std::optional<Array<double>> displaced(std::size_t k, const Array<double>& direction, std::size_t begin, std::size_t end,
                                           double step) {
        Arrays at = inputs_;
        for (std::size_t i = begin; i < end; ++i) {
            double& x = at[k].data()[i];
            x += step * scale(x) * direction.data()[i];
        }
        auto y = evaluate(at);
        if (y && y->shape() != centre_.shape()) y.reset();
        return y;
    }

    static double scale(double x) { return std::max(1.0, std::fabs(x)); }

    double weighted_difference(const Array<double>& a, const Array<double>& b) const {
        double total = 0;
        for (std::size_t i = 0; i < a.size(); ++i) total += weights_.data()[i] * (a.data()[i] - b.data()[i]);
        return total;
    }

    double weighted_size(const Array<double>& a) const {
        double total = 0;
        for (std::size_t i = 0; i < a.size(); ++i) total += std::fabs(weights_.data()[i] * a.data()[i]);
        return total;
    }

    /// Ridders' method: column n of the tableau has the first n terms of the truncation error removed; where neighbours
    /// in it agree best, their disagreement and the rounding of the values bound the error. Ends early at `enough`.
    Derivative differentiate(std::size_t k, const Array<double>& direction, std::size_t begin, std::size_t end, double rounding,
                             double enough) {
        Derivative best;
        best.rounding = rounding;
        std::vector<double> previous;
        for (double step = first_step; step >= last_step && !(best.error <= enough); step /= 2) {
            const auto above = displaced(k, direction, begin, end, step);
            const auto below = displaced(k, direction, begin, end, -step);
            if (!above || !below) {
                previous.clear();
                continue;
            }
            std::vector<double> current{weighted_difference(*above, *below) / (2 * step)};
            const double rounding_there = rounding + epsilon * std::max(weighted_size(*above), weighted_size(*below));
            best.rounding = std::max(best.rounding, rounding_there);
            double factor = 1;
            for (std::size_t n = 0; n < previous.size(); ++n) {
                factor *= 4;
                current.push_back(current[n] + (current[n] - previous[n]) / (factor - 1));
                const double error = 4 * rounding_there / step +
                                     std::max(std::fabs(current[n + 1] - current[n]), std::fabs(current[n + 1] - previous[n]));
                if (error < best.error) best = {current[n + 1], error, best.rounding};
            }
            previous = std::move(current);
        }
        return best;
    }

    /// The derivative along a direction which is 0 outside of [begin, end).
    Comparison compare_differences(std::size_t k, const Array<double>& direction, std::size_t begin, std::size_t end) {
        Comparison result;
        double size = 0, rounding = rounding_;
        for (std::size_t i = begin; i < end; ++i) {
            const double x = inputs_[k].data()[i];
            const double part = gradients_[k].data()[i] * scale(x) * direction.data()[i];
            result.backward += part;
            size += std::fabs(part);
            if (std::isfinite(part)) rounding += epsilon * std::fabs(part);
        }
        const Derivative found = differentiate(k, direction, begin, end, rounding, 1e-9 * size + 16 * rounding / first_step);
        result.differences = found.value;
        result.tolerance = 4 * found.error + 64 * epsilon * size;
        result.settled = result.tolerance <= settled * std::max(size, std::fabs(found.value)) + 32 * found.rounding / last_step;
        ++report_.comparisons_;
        if (agrees(result) && result.tolerance > 0) {
            report_.largest_error_ = std::max(report_.largest_error_, result.error() / result.tolerance);
        }
        return result;
    }

    /// By forward mode on the recorded tape.
    Comparison compare_forward(std::size_t k, const Array<double>& direction, std::size_t begin, std::size_t end) {
        Comparison result;
        Array<double> along = full<double>(inputs_[k].shape(), 0);
        using Wide = long double;  // the square of a double may be infinite, and an infinite tolerance holds nothing
        Wide size = 0;
        for (std::size_t i = begin; i < end; ++i) {
            along.data()[i] = scale(inputs_[k].data()[i]) * direction.data()[i];
            const double part = gradients_[k].data()[i] * along.data()[i];
            result.backward += part;
            size += Wide{part} * Wide{part};
        }
        const Direction<double> moved(recorded_inputs_[k], along);
        Wide weights = 0, tangents = 0;
        if (const auto tangent = find_tangent<double>(recorded_, {&moved, 1})) {
            for (std::size_t i = 0; i < tangent->size(); ++i) {
                const double u = weights_.data()[i], t = tangent->data()[i];
                result.differences += u * t;
                weights += Wide{u} * Wide{u};
                tangents += Wide{t} * Wide{t};
            }
        }
        // Where both are 0 but for what cancels, roundings of the value, or of 1 if it is larger, are the measure.
        const auto scale_of_both = static_cast<double>(std::sqrt(std::max(weights * tangents, size)));
        result.tolerance = std::max(agreement * scale_of_both, 16 * std::min(rounding_, epsilon));
        result.settled = true;
        ++report_.comparisons_;
        return result;
    }

    /// A direction of input k has shown an error: which elements, and why?
    void locate(std::size_t k, const Array<double>& direction, Compare compare_by) {
        const auto compare = [&](std::size_t input, const Array<double>& along, std::size_t first, std::size_t last) {
            return (this->*compare_by)(input, along, first, last);
        };
        const char* other = check_ == Check::differences ? "differences give" : "forward mode gives";
        const Comparison along = compare(k, direction, 0, inputs_[k].size());
        std::size_t begin = 0, end = inputs_[k].size();
        while (end - begin > block) {
            const std::size_t middle = begin + (end - begin) / 2;
            (agrees(compare(k, direction, begin, middle)) ? begin : end) = middle;
        }
        const Array<double> unit = full<double>(inputs_[k].shape(), 1);
        std::vector<Comparison> all, wrong;
        for (std::size_t i = begin; i < end; ++i) {
            Comparison each = compare(k, unit, i, i + 1);
            const double by = scale(inputs_[k].data()[i]);
            each.backward /= by, each.differences /= by, each.tolerance /= by;
            each.element = i;
            all.push_back(each);
            if (!agrees(each)) wrong.push_back(each);
        }
        if (wrong.empty()) {
            return describe(k, along,
                            fmt::format("along a random direction backward gives {}, {} {} "
                                        "(+- {:.1e}); no single element is off by more than its tolerance",
                                        along.backward, other, along.differences, along.tolerance));
        }
        const auto worst = std::max_element(wrong.begin(), wrong.end(), [](const Comparison& a, const Comparison& b) {
            return !std::isnan(a.error()) && !(a.error() >= b.error());
        });
        std::string message = fmt::format("backward gives {}, {} {} (+- {:.1e}); {} of {} elements {}", worst->backward, other,
                                          worst->differences, worst->tolerance, wrong.size(), all.size(),
                                          wrong.size() == 1 ? "is off" : "are off");
        const std::string reason = likely_reason(k, *worst, all, wrong);
        if (!reason.empty()) message += "\n    likely: " + reason;
        describe(k, *worst, std::move(message));
    }

    void describe(std::size_t k, const Comparison& worst, std::string message) {
        const Shape element = index_of(worst.element, inputs_[k].shape());
        message = fmt::format("input {} (of {}, counted from 0), shape {}, element {}: {}", k, inputs_.size(),
                              to_string(inputs_[k].shape()), to_string(element), message);
        report_.failures_.push_back(
            {check_, order_, k, element, worst.backward, worst.differences, worst.tolerance, std::move(message)});
    }

    std::string likely_reason(std::size_t k, const Comparison& worst, const std::vector<Comparison>& all,
                              const std::vector<Comparison>& wrong) {
        const auto all_wrong = [&](auto holds) { return std::all_of(wrong.begin(), wrong.end(), holds); };
        if (std::isnan(worst.backward)) return "the rule makes a NaN, as of 0 * inf or 0 / 0";
        if (check_ == Check::differences) {
            if (const auto kink = find_kink(k, worst.element)) return describe(*kink);
        }
        if (!worst.settled) return "the differences do not settle: the function is not smooth here";
        if (!absence_[k].empty()) return "no gradient arrives: " + absence_[k];
        if (all_wrong([](const Comparison& each) { return each.backward == 0; })) {
            return "the gradient is 0 where it should not be: a path from this input was forgotten";
        }
        if (all_wrong([](const Comparison& each) { return std::fabs(each.differences) <= each.tolerance; })) {
            return "the function does not depend on this, yet it is given a gradient";
        }
        if (counts_one_of_many(k, worst)) {
            return "only one of the outputs that this element reaches is counted: is a sum over a broadcast missing?";
        }
        if (is_stale(k, worst)) {
            return "the gradient is the same at other inputs, where the derivative is not: a value of an earlier call?";
        }
        const double ratio = worst.backward / worst.differences;
        const bool constant_ratio = all_wrong([&](const Comparison& each) {
            return std::fabs(each.backward - ratio * each.differences) <=
                   1e-6 * std::fabs(each.backward) + std::fabs(ratio) * each.tolerance;
        });
        if (constant_ratio && std::fabs(ratio + 1) < 1e-6) return "the sign is wrong";
        if (constant_ratio && (wrong.size() > 1 || wrong.size() == all.size())) return describe_ratio(k, ratio);
        std::vector<double> backward, differences;
        for (const Comparison& each : all) {
            backward.push_back(each.backward);
            differences.push_back(each.differences);
        }
        std::sort(backward.begin(), backward.end());
        std::sort(differences.begin(), differences.end());
        if (std::equal(backward.begin(), backward.end(), differences.begin(),
                       [&](double a, double b) { return std::fabs(a - b) <= 1e-6 * std::fabs(a) + worst.tolerance; })) {
            return "the right numbers at the wrong elements: transposed, reversed or shifted";
        }
        return {};
    }

    /// Whether the gradient is one of the several terms which the derivative is the sum of.
    bool counts_one_of_many(std::size_t k, const Comparison& worst) {
        try {
            const auto inputs = variables(inputs_);
            Array<double> unit = full<double>(inputs_[k].shape(), 0);
            unit.data()[worst.element] = 1;
            const Direction<double> moved(inputs[k], unit);
            const auto tangent = find_tangent<double>(f_(inputs), {&moved, 1});
            if (!tangent) return false;
            std::size_t terms = 0;
            bool is_one = false;
            for (std::size_t i = 0; i < tangent->size(); ++i) {
                const double term = weights_.data()[i] * tangent->data()[i];
                terms += term != 0;
                is_one |= term != 0 && std::fabs(term - worst.backward) <= 1e-9 * std::fabs(term);
            }
            return terms > 1 && is_one;
        } catch (const std::exception&) {
            return false;  // no forward mode: nothing is known
        }
    }

    /// Whether backward gives the same where all inputs have moved, though the derivative does not.
    bool is_stale(std::size_t k, const Comparison& worst) {
        Arrays moved = inputs_;
        Rng rng = Rng(options_.seed).stream("elsewhere");
        for (Array<double>& each : moved) {
            const Array<double> direction = random_direction(rng, each.shape());
            for (std::size_t i = 0; i < each.size(); ++i)
                each.data()[i] += stride * scale(each.data()[i]) * direction.data()[i];
        }
        try {
            const auto inputs = variables(moved);
            const auto gradients = backward(f_(inputs), weights_);
            const Array<double>* there = gradients.find(inputs[k]);
            if (there == nullptr || there->data()[worst.element] != worst.backward) return false;
            std::swap(moved, inputs_);
            Array<double> unit = full<double>(inputs_[k].shape(), 1);
            const Derivative elsewhere = differentiate(k, unit, worst.element, worst.element + 1, rounding_, 0);
            const double by = scale(inputs_[k].data()[worst.element]);
            std::swap(moved, inputs_);
            return std::fabs(elsewhere.value / by - worst.differences) > 1e-3 * std::fabs(worst.differences);
        } catch (const std::exception&) {
            return false;
        }
    }

    std::string describe_ratio(std::size_t k, double ratio) const {
        std::string text = fmt::format("the gradient is {:.6g} times what it should be", ratio);
        const double factor = std::max(std::fabs(ratio), std::fabs(1 / ratio));
        for (const Shape& shape : {centre_.shape(), inputs_[k].shape()}) {
            for (const std::size_t extent : shape) {
                if (extent > 1 && std::fabs(factor - static_cast<double>(extent)) < 1e-6 * factor) {
                    return text +
                           fmt::format("; {} is also the extent of an axis: is a sum or a mean over it missing?", extent);
                }
            }
        }
        return text;
    }

    struct Kink {
        std::optional<double> left, right;  ///< one-sided derivatives; none where the function is not defined
    };
    static std::string describe(const Kink& kink) {
        if (!kink.left || !kink.right) return "a neighbour of this point is not in the function's domain";
        return fmt::format("the point sits on a kink, or next to one: the derivative from the left is {:.6g}, from the "
                           "right {:.6g}",
                           *kink.left, *kink.right);
    }

    /// The one-sided derivatives, if they differ by something that does not shrink with the step; or if the value itself
    /// jumps, as a gradient does at a kink of its function (where both may be equally steep: -1, 0, 1).
    std::optional<Kink> find_kink(std::size_t k, std::size_t element) {
        const Array<double> unit = full<double>(inputs_[k].shape(), 1);
        const auto one_sided = [&](double step) -> std::optional<double> {
            const auto y = displaced(k, unit, element, element + 1, step);
            if (!y) return std::nullopt;
            return weighted_difference(*y, centre_) / (step * scale(inputs_[k].data()[element]));
        };
        const auto at = [&](double step) { return Kink{one_sided(-step), one_sided(step)}; };
        const Kink far = at(16 * last_step), near = at(last_step);
        if (!far.left || !far.right || !near.left || !near.right) return Kink{};
        // Of what a smooth function has, a sixteenth would be left.
        const auto persists = [](double far_change, double near_change, double rounding) {
            return near_change > 0.2 * far_change && near_change > rounding;
        };
        const bool bends =
            persists(std::fabs(*far.right - *far.left), std::fabs(*near.right - *near.left), 1e3 * rounding_ / last_step);
        const bool jumps =
            persists(16 * std::fabs(*far.right + *far.left), std::fabs(*near.right + *near.left), 1e6 * rounding_ / last_step);
        if (!bends && !jumps) return std::nullopt;
        return near;
    }

    GradcheckFunction f_;
    Arrays& inputs_;
    const GradcheckOptions& options_;
    int order_;
    GradcheckReport& report_;
    Check check_ = Check::differences;
    bool may_step_ = false;

    Tape<double> tape_;
    Array<double> centre_;              // f(inputs)
    Array<double> weights_;             // of its elements, in the sum that is differentiated
    double rounding_ = 0;               // of that sum
    Arrays gradients_;                  // zeros where there is none
    std::vector<std::string> absence_;  // why there is none
    Tape<double> forward_tape_;         // of its own: the search for a reason clears the other
    Var<double> recorded_;              // f, for forward mode
    std::vector<Var<double>> recorded_inputs_;

   public:
    static void check(const GradcheckFunction& f, Arrays inputs, const GradcheckOptions& options, GradcheckReport& report) {
        GradcheckFunction at_order = f;
        for (int order = 1; order <= options.order && report; ++order) {
            Gradcheck(at_order, inputs, options, order, report).run();
            at_order = projected_gradient(at_order, options.seed);
        }
    }
};

GradcheckReport gradcheck_list(const GradcheckFunction& f, const std::vector<Array<double>>& inputs,
                               const GradcheckOptions& options) {
    if (inputs.empty()) throw Error("gradcheck: it needs at least one input");
    if (options.directions < 1) throw Error("gradcheck: it needs at least one direction");
    if (options.order < 1) throw Error(fmt::format("gradcheck: order = {}: the first is the least", options.order));
    if (!options.differences && !options.dot_product) throw Error("gradcheck: both of its checks are turned off");
    GradcheckReport report;
    Gradcheck::check(f, inputs, options, report);
    return report;
}

std::string GradcheckReport::text() const {
    std::string text = "gradcheck: failed";
    if (failures_.empty()) {
        text = fmt::format("gradcheck: passed, {} derivatives compared, the largest error {:.2g} of what is allowed",
                           comparisons_, largest_error_);
    }
    for (const Failure& failure : failures_) {
        text += failure.order == 1 ? "\n  " : fmt::format("\n  order {}: ", failure.order);
        text += failure.message;
    }
    for (const std::string& note : notes_) text += "\n  note: " + note;
    return text;
}

bool GradcheckReport::failed(Check check) const {
    return std::any_of(failures_.begin(), failures_.end(), [check](const Failure& each) { return each.check == check; });
}

XTAPE_API std::ostream& operator<<(std::ostream& stream, const GradcheckReport& report) { return stream << report.text(); }

}  // namespace autograd
