// A program that has xtape's products and makes none, where OpenBLAS has taken the processor for less than it is: whatever
// memory it may have, it begins and ends.
#include <autograd/autograd.hpp>
#include <cstdio>

int main(int argc, char**) {
    if (argc > 1) std::puts(autograd::describe_backend().c_str());
    return 0;
}
