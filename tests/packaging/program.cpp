// What a program counts on, whatever its project's flags are: NaN, subnormal numbers, and a model that learns.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <limits>
#include <nn/nn.hpp>

namespace {

struct Model {
    nn::Linear hidden;
    static constexpr auto members = nn::members("hidden", &Model::hidden);
};

bool learns() {
    autograd::Rng rng(1);
    Model model{nn::Linear(3, 2, rng)};
    nn::Adam adam({.lr = 0.05});
    autograd::Tape<float> tape;
    double first = 0, last = 0;
    for (int step = 0; step < 50; ++step) {
        tape.clear();
        const auto x = tape.constant(rng.normal<float>({16, 3}));
        const auto loss = mean(square(model.hidden(x)));
        last = static_cast<double>(loss.item());
        if (step == 0) first = last;
        adam.step(model, backward(loss));
    }
    return last < first / 2;
}

bool finds_nan() {
    autograd::Tape<float> tape;
    tape.check_finite(true);
    try {
        static_cast<void>(log(tape.variable(autograd::full<float>({3}, -1.0f))));
    } catch (const autograd::FiniteError&) {
        return true;
    }
    return false;
}

bool keeps_subnormals() {
    autograd::Tape<double> tape;
    return (tape.variable(autograd::full<double>({}, std::numeric_limits<double>::min())) * 0.25).item() > 0;
}

}  // namespace

int main() {
    const bool good = learns() && finds_nan() && keeps_subnormals();
    std::puts(good ? "good" : "not what it should be");
    return good ? 0 : 1;
}
