// A program that has OpenBLAS, and nothing of xtape. Some versions of OpenBLAS hang before main() where the address space has no
// room for them: there xtape cannot begin either.
int main() { return 0; }
