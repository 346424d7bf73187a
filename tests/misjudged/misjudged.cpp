// Makes OpenBLAS take this processor for a Prescott, as its versions before 0.3.25 take those which they do not know: a library
// whose initialiser runs ahead of the program's. Not where OPENBLAS_CORETYPE says otherwise.
#include <cstdio>
#include <cstdlib>

extern "C" {
void gotoblas_dynamic_init();
void gotoblas_dynamic_quit();
}

namespace {

[[gnu::constructor]] void misjudge() {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) std::fputs("this processor is little more than a Prescott\n", stderr);
    if (std::getenv("OPENBLAS_CORETYPE") != nullptr) return;
    setenv("OPENBLAS_CORETYPE", "PRESCOTT", 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
}

}  // namespace
