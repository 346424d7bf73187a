// A signal's handler may do little more than set a variable: the only global one there is.
#include "interrupt.hpp"

#include <csignal>

namespace {

volatile std::sig_atomic_t received = 0;

struct Request {
    int signal;
    bool once;  ///< the second one has its former effect
};

constexpr std::array requests{Request{SIGINT, true}, Request{SIGQUIT, true}, Request{SIGTERM, true}, Request{SIGHUP, false},
                              Request{SIGPIPE, false}};

}  // namespace

Interrupts::Interrupts(std::size_t stop_after_steps) : steps_left_(stop_after_steps), counts_(stop_after_steps > 0) {
    received = 0;
    static_assert(requests.size() == std::tuple_size_v<decltype(former_)>);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        struct sigaction action = {};
        action.sa_handler = [](int signal) { received = signal; };
        action.sa_flags = static_cast<int>(requests[i].once ? SA_RESETHAND | SA_RESTART : SA_RESTART);
        sigemptyset(&action.sa_mask);
        sigaction(requests[i].signal, nullptr, &former_[i]);
        if (former_[i].sa_handler != SIG_IGN) sigaction(requests[i].signal, &action, nullptr);
    }
}

Interrupts::~Interrupts() {
    for (std::size_t i = 0; i < requests.size(); ++i) sigaction(requests[i].signal, &former_[i], nullptr);
}

bool Interrupts::after_step() {
    if (counts_ && --steps_left_ == 0) received = SIGINT;
    return received != 0;
}

int Interrupts::exit_code() const { return 128 + received; }
