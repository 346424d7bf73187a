// The main program of some of the library's tests (run.sh says which), with the fault that the environment names: for
// mutants which the op checks, whose samples are never on a kink, cannot see.
#define CATCH_CONFIG_MAIN  // Catch2's second version; of the third, main() is in a library
#include <cstdlib>
#include <sstream>
#include <string>

#include "tests/catch.hpp"
#include "tests/mutation/fault.hpp"

namespace {

const bool planted = [] {
    static std::string op;
    const char* text = std::getenv("XTAPE_FAULT");
    if (text == nullptr) return false;
    std::istringstream words(text);
    int kind = 0;
    auto& fault = autograd::fault::state.fault;
    words >> op >> fault.input >> kind >> fault.which;
    fault.kind = static_cast<autograd::fault::Kind>(kind);
    fault.op = op.c_str();
    return true;
}();

}  // namespace
