// A program that calls OpenBLAS itself, beside xtape, where OpenBLAS has taken the processor for less than it is: it finds
// that put right, before main() and in its own static objects, and its own products are right throughout. With an argument,
// that is the name of the kernels which are to be in use.
#include <cblas.h>

#include <autograd/autograd.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

bool own_product_is_right() {
    constexpr int n = 150;
    const std::vector<double> a(n * n, 2), b(n * n, 3);
    std::vector<double> c(n * n, -1);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
    for (const double each : c) {
        if (each != 6 * n) return false;
    }
    return true;
}

bool product_of_xtape_is_right() {
    autograd::Tape<double> tape;
    const auto a = tape.constant(autograd::full<double>({150, 100}, 2)), b = tape.constant(autograd::full<double>({100, 7}, 3));
    return autograd::sum(autograd::matmul(a, b)).item() == 150 * 7 * 600;
}

struct Before {
    std::string core = openblas_get_corename();
    bool is_right = own_product_is_right() && product_of_xtape_is_right();
};
const Before before_main;

bool check(bool holds, const char* what) {
    if (!holds) std::fprintf(stderr, "not so: %s\n", what);
    return holds;
}

}  // namespace

int main(int argc, char** argv) {
    std::string core = openblas_get_corename();
    std::fprintf(stderr, "kernels for %s\n", core.c_str());
    bool holds = check(core == before_main.core, "the kernels stay what they were when static objects were made");
    for (char& each : core) each = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
    if (argc == 2) {
        holds &= check(core == argv[1], "the kernels are those that the environment names");
    } else {
        holds &= check(core != "PRESCOTT", "the kernels are not a Prescott's any more");
        holds &= check(std::getenv("OPENBLAS_CORETYPE") == nullptr, "the environment is as it was");
    }
    holds &= check(before_main.is_right, "products of static objects are right");
    holds &= check(own_product_is_right(), "the program's product is right before xtape's");
    holds &= check(product_of_xtape_is_right(), "xtape's product is right");
    holds &= check(own_product_is_right(), "the program's product is right after xtape's");
    holds &= check(
        core ==
            [] {
                std::string now = openblas_get_corename();
                for (char& each : now) each = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
                return now;
            }(),
        "the kernels stay the same");
    return holds ? 0 : 1;
}
