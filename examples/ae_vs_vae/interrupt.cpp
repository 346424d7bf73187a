// A signal's handler may do little more than set a variable: the only global one there is.
#include "interrupt.hpp"

#include <csignal>

namespace {

volatile std::sig_atomic_t received = 0;

constexpr std::array signals{SIGINT, SIGTERM};

}  // namespace

Interrupts::Interrupts(std::size_t stop_after_steps) : steps_left_(stop_after_steps), counts_(stop_after_steps > 0) {
    received = 0;
    struct sigaction action = {};
    action.sa_handler = [](int signal) { received = signal; };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < signals.size(); ++i) {
        sigaction(signals[i], nullptr, &former_[i]);
        if (former_[i].sa_handler != SIG_IGN) sigaction(signals[i], &action, nullptr);
    }
}

Interrupts::~Interrupts() {
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &former_[i], nullptr);
}

bool Interrupts::after_step() {
    if (counts_ && --steps_left_ == 0) received = SIGINT;
    return received != 0;
}

int Interrupts::exit_code() const { return 128 + received; }
