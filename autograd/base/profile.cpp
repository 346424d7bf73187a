// The profiler's sums. They are here and not in the header, because every file that names a tape would compile them. What
// is charged, and when, the tape and the sweeps say.
#include "autograd/base/profile.hpp"

#include <algorithm>
#include <utility>

namespace autograd::detail {

void Profiler::charge(const char* op, bool backward, std::size_t bytes) {
    const std::chrono::duration<double> spent = Clock::now() - start_;
    OpProfile& entry = ops_[op];
    entry.op = op;
    entry.calls += !backward;
    entry.bytes += bytes;
    (backward ? entry.backward_seconds : entry.forward_seconds) += spent.count();
}

std::vector<OpProfile> Profiler::profile() const {
    std::vector<OpProfile> result;
    for (const auto& [name, each] : ops_) result.push_back(each);
    const auto cost = [](const OpProfile& each) { return std::pair(-each.forward_seconds - each.backward_seconds, each.op); };
    std::sort(result.begin(), result.end(), [&](const auto& a, const auto& b) { return cost(a) < cost(b); });
    return result;
}

}  // namespace autograd::detail
