// Loads the library that it is given and calls it, on two threads, one of them older than the library; then unloads it
// and does all that once more. It links nothing of xtape.
#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <future>
#include <thread>

namespace {

bool is_right(double (*fit)()) { return std::fabs(fit() - 3) < 1e-6; }

bool run(const char* path) {
    std::promise<double (*)()> loaded;
    bool there = false;
    std::thread older([&] {
        double (*fit)() = loaded.get_future().get();
        there = fit != nullptr && is_right(fit);
    });
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) std::fprintf(stderr, "%s\n", dlerror());
    auto* fit = library == nullptr ? nullptr : reinterpret_cast<double (*)()>(dlsym(library, "xtape_plugin_fit"));
    loaded.set_value(fit);
    const bool here = fit != nullptr && is_right(fit);
    older.join();
    if (library != nullptr) dlclose(library);
    return here && there;
}

}  // namespace

int main(int argc, char** argv) { return argc == 2 && run(argv[1]) && run(argv[1]) ? 0 : 1; }
