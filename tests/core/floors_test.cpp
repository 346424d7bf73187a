// The floors of the house: a file includes what lies in its own folder and in those below, without a circle; and core/, which
// is there to be read, stays small. One arrow climbs unseen: core calls detail::add_gradients, which ops/reductions.cpp
// defines.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

namespace fs = std::filesystem;

using Includes = std::map<std::string, std::set<std::string>>;

/// From the bottom. What programs include is a floor of its own, above what it gathers.
constexpr const char* floors[] = {"autograd/base",  "autograd/kernels", "autograd/core", "autograd/ops",
                                  "autograd/tools", "autograd/check",   "autograd",      "nn",
                                  "nn/data",        "nn/nn.hpp"};

std::size_t floor_of(const std::string& file) {
    for (std::size_t i = std::size(floors); i-- > 0;) {
        if (file == floors[i] || fs::path(file).parent_path() == floors[i]) return i;
    }
    return std::size(floors);  // examples, tests, benchmarks
}

/// What each file of autograd/ and nn/ includes of the project.
Includes includes_of_library() {
    const std::regex include(R"re((?:^|\n)#include ["<]((?:autograd|nn|examples|tests|bench)/[^">]+)[">])re");
    Includes result;
    for (const char* folder : {"autograd", "nn"}) {
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(XTAPE_SOURCE_DIR) / folder)) {
            if (!entry.is_regular_file()) continue;
            const std::string text = read_text(entry.path());
            auto& list = result[entry.path().lexically_relative(XTAPE_SOURCE_DIR).string()];
            for (std::sregex_iterator each(text.begin(), text.end(), include), end; each != end; ++each)
                list.insert((*each)[1]);
        }
    }
    return result;
}

std::vector<std::string> offences(const Includes& includes) {
    std::vector<std::string> found;
    std::map<std::string, int> visited;  // 1: on the way, 2: done
    const std::function<void(const std::string&)> visit = [&](const std::string& file) {
        visited[file] = 1;
        const auto list = includes.find(file);
        if (list == includes.end()) return;
        for (const std::string& each : list->second) {
            if (floor_of(each) > floor_of(file)) found.push_back(file + " includes " + each + ", of a higher floor");
            if (file.starts_with("nn/") && each.starts_with("autograd/") && each != "autograd/autograd.hpp") {
                found.push_back(file + " includes " + each + ": nn knows autograd/autograd.hpp alone");
            }
            if (visited[each] == 1) found.push_back(file + " includes " + each + ", in a circle");
            if (visited[each] == 0) visit(each);
        }
        visited[file] = 2;
    };
    for (const auto& [file, list] : includes) {
        if (visited[file] == 0) visit(file);
    }
    return found;
}

std::size_t lines_of_core(const std::set<std::string>& left_out) {
    std::size_t lines = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(XTAPE_SOURCE_DIR) / "autograd/core")) {
        if (left_out.contains(entry.path().stem())) continue;
        const std::string text = read_text(entry.path());
        lines += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
    return lines;
}

}  // namespace

TEST_CASE("floors: core is read in an afternoon") {
    CHECK(lines_of_core({}) > 1500);
    CHECK(lines_of_core({}) <= 2500);
    CHECK(lines_of_core({"explain"}) <= 2200);
}

TEST_CASE("floors: a file includes its own floor and those below, without a circle") {
    const Includes includes = includes_of_library();
    CHECK(includes.size() > 100);
    CHECK(includes.at("autograd/core/gradients.hpp").contains("autograd/core/tape.hpp"));
    CHECK(offences(includes) == std::vector<std::string>{});
}

TEST_CASE("floors: an include that climbs, closes a circle or goes past the front door is named") {
    const auto with = [](const std::string& file, const std::string& included) {
        Includes includes = includes_of_library();
        includes.at(file).insert(included);
        return offences(includes);
    };
    using List = std::vector<std::string>;
    CHECK(with("autograd/core/tape.cpp", "autograd/ops/shape.hpp") ==
          List{"autograd/core/tape.cpp includes autograd/ops/shape.hpp, of a higher floor"});
    CHECK(with("autograd/kernels/blas.cpp", "autograd/core/tape.hpp") ==
          List{"autograd/kernels/blas.cpp includes autograd/core/tape.hpp, of a higher floor"});
    CHECK(with("nn/linear.cpp", "nn/data/file.hpp") == List{"nn/linear.cpp includes nn/data/file.hpp, of a higher floor"});
    CHECK(with("autograd/check/opcheck.cpp", "tests/specs/registry.hpp") ==
          List{"autograd/check/opcheck.cpp includes tests/specs/registry.hpp, of a higher floor"});
    CHECK(with("nn/linear.cpp", "autograd/core/tape.hpp") ==
          List{"nn/linear.cpp includes autograd/core/tape.hpp: nn knows autograd/autograd.hpp alone"});
    const List circle = with("autograd/core/tape.hpp", "autograd/core/gradients.hpp");
    CHECK(circle.size() == 1);
    CHECK_THAT(circle.front(), contains("in a circle"));
}
