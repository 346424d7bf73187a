// A program that has the libraries which xtape has, and nothing of xtape. It ends as soon as it has come to main(), without
// what libraries do at the end: OpenBLAS 0.3.29 hangs before that where the address space has no room for it, and so does
// xtape.
#include <unistd.h>

int main() { _exit(0); }
