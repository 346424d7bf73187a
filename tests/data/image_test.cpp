// Grids, captions and PNG; what was written is read back by libpng.
#include <nn/data/image.hpp>

#include <png.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

using autograd::Array;
using Pixels = std::vector<std::uint8_t>;

nn::Image read_png(const std::filesystem::path& path) {
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_file(&header, path.c_str()) == 0) throw std::runtime_error(header.message);
    nn::Image image{header.height, header.width, PNG_IMAGE_PIXEL_CHANNELS(header.format), Pixels(PNG_IMAGE_SIZE(header))};
    if (png_image_finish_read(&header, nullptr, image.pixels.data(), 0, nullptr) == 0) {
        throw std::runtime_error(header.message);
    }
    return image;
}

std::string drawing(const nn::Image& image) {
    std::string text;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        text += image.pixels[i] == 0 ? '#' : '.';
        if ((i + 1) % image.columns == 0) text += '\n';
    }
    return text;
}

}  // namespace

TEST_CASE("a grid of images", "[image]") {
    // Three images of 1 x 2 pixels.
    const Array<float> images{{0.0F, 1.0F}, {0.2F, -3.0F}, {0.5F, 7.0F}};
    const nn::Image grid = nn::image_grid(images, 1, 2, 2, {.padding = 1, .scale = 1, .background = 9});
    CHECK(grid.rows == 5);
    CHECK(grid.columns == 7);
    CHECK(grid.channels == 1);
    CHECK(grid.pixels == Pixels{9, 9,   9,   9, 9,  9, 9,  //
                                9, 0,   255, 9, 51, 0, 9,  //
                                9, 9,   9,   9, 9,  9, 9,  //
                                9, 128, 255, 9, 9,  9, 9,  //
                                9, 9,   9,   9, 9,  9, 9});

    const nn::Image scaled = nn::image_grid(images, 2, 1, 8, {.padding = 0, .scale = 2});
    CHECK(scaled.rows == 4);
    CHECK(scaled.columns == 6);
    CHECK(scaled.pixels == Pixels{0,   0,   51, 51, 128, 128,  //
                                  0,   0,   51, 51, 128, 128,  //
                                  255, 255, 0,  0,  255, 255,  //
                                  255, 255, 0,  0,  255, 255});
}

TEST_CASE("what cannot be a grid", "[image]") {
    constexpr std::size_t huge = std::size_t{1} << 63;
    const Array<float> images = autograd::full<float>({3, 4}, 0.5F);
    CHECK_THROWS_WITH(nn::image_grid(images, 2, 3, 1), "image_grid: expected images of shape (count, 2 * 3), found (3, 4)");
    CHECK_THROWS_AS(nn::image_grid(images, huge, 2, 1), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(images, 0, 0, 1), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(autograd::empty<float>({0, 4}), 2, 2, 1), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(autograd::empty<float>({3, 0}), 0, 5, 1), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(autograd::full<float>({4}, 0.5F), 2, 2, 1), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(images, 2, 2, 0), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(images, 2, 2, 1, {.scale = 0}), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(images, 2, 2, 1, {.scale = huge}), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(images, 2, 2, 1, {.padding = huge}), autograd::ShapeError);
    CHECK_THROWS_AS(nn::image_grid(images, 2, 2, 1, {.padding = 1000, .scale = 1000}), autograd::ShapeError);
    CHECK(nn::image_grid(images, 2, 2, huge).columns == 3 * 4 + 2);
}

TEST_CASE("a NaN is not painted over", "[image]") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Array<float> images{{infinity, -infinity, 0.0F, 0.0F}, {0.0F, 0.0F, 0.0F, 0.0F}};
    CHECK(nn::image_grid(images, 2, 2, 1, {.padding = 0}).pixels == Pixels{255, 0, 0, 0, 0, 0, 0, 0});
    images(1, 2) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(nn::image_grid(images, 2, 2, 1), autograd::Error);
    CHECK_THROWS_WITH(nn::image_grid(images, 2, 2, 1),
                      "image_grid: image 1 has a NaN at row 1, column 0; expected values in [0, 1]");
}

TEST_CASE("images side by side", "[image]") {
    const nn::Image grey{2, 1, 1, {10, 20}};
    const nn::Image colour{1, 2, 3, {1, 2, 3, 4, 5, 6}};
    const nn::Image pair = nn::side_by_side({grey, grey}, 2, 7);
    CHECK(pair.columns == 4);
    CHECK(pair.pixels == Pixels{10, 7, 7, 10, 20, 7, 7, 20});
    const nn::Image mixed = nn::side_by_side({grey, colour}, 0, 7);
    CHECK(mixed.rows == 2);
    CHECK(mixed.columns == 3);
    CHECK(mixed.channels == 3);
    CHECK(mixed.pixels == Pixels{10, 10, 10, 1, 2, 3, 4, 5, 6, 20, 20, 20, 7, 7, 7, 7, 7, 7});
    CHECK(nn::side_by_side({}, 3).pixels.empty());
}

TEST_CASE("what cannot be put side by side or given a caption", "[image]") {
    const nn::Image good{1, 2, 1, {1, 2}};
    const auto minus_one = static_cast<std::size_t>(-1);
    const auto pair = [&](const nn::Image& other, std::size_t gap) { return nn::side_by_side({good, other}, gap); };
    CHECK_THROWS_WITH(pair(good, minus_one), "side_by_side: a gap of -1 pixels; at most 1000000 are possible");
    CHECK_THROWS_AS(pair(good, 1'000'000), autograd::ShapeError);  // the sum
    CHECK_NOTHROW(pair(good, 1000));
    CHECK_THROWS_WITH(nn::with_caption(good, "hi", minus_one), contains("with_caption") && contains("-1 pixels a dot"));
    for (const std::size_t scale : {std::size_t{0}, minus_one / 40, std::size_t{100'000}}) {
        CHECK_THROWS_AS(nn::with_caption(good, "hi", scale), autograd::ShapeError);
    }
    const nn::Image bad[] = {
        {2000, 3000, 1, {}}, {1, 2, 0, {}}, {1, 2, 2, {1, 2, 3, 4}}, {minus_one, 2, 1, {1}}, {1, 2, 1, {1}}};
    for (const nn::Image& each : bad) {
        INFO(each.rows << " x " << each.columns << " x " << each.channels);
        CHECK_THROWS_AS(pair(each, 1), autograd::ShapeError);
        CHECK_THROWS_AS(nn::with_caption(each, "hi"), autograd::ShapeError);
    }
    CHECK_THROWS_WITH(nn::image_grid(autograd::full<float>({1, 4}, 0.5F), minus_one, 2, 1), contains("(count, -1 * 2)"));
    CHECK_THROWS_WITH(nn::image_grid(autograd::full<float>({1, 4}, 0.5F), 2, 2, 1, {.padding = minus_one}),
                      contains("padding -1"));
}

TEST_CASE("a caption", "[image]") {
    const nn::Image image{1, 3, 1, {5, 6, 7}};
    const nn::Image captioned = nn::with_caption(image, "Ag", 1);
    CHECK(drawing(captioned) == "................\n"
                                "................\n"
                                "...###..........\n"
                                "..#...#.........\n"
                                "..#...#..####...\n"
                                "..#####.#...#...\n"
                                "..#...#.#...#...\n"
                                "..#...#.#...#...\n"
                                "..#...#..####...\n"
                                "............#...\n"
                                ".........###....\n"
                                "................\n"
                                "................\n"
                                "................\n");
    CHECK(Pixels(captioned.pixels.end() - 16, captioned.pixels.end() - 12) == Pixels{5, 6, 7, 255});
    CHECK(nn::with_caption(image, "\n\x80", 2).pixels == nn::with_caption(image, "??", 2).pixels);
    CHECK(nn::with_caption({1, 100, 3, Pixels(300)}, "Ag").columns == 100);
    CHECK(nn::with_caption(image, "I", 1, 0).pixels[2 * 10 + 3] == 255);  // white on black
}

TEST_CASE("a PNG holds the pixels", "[image]") {
    const TemporaryDirectory directory;
    const auto path = directory / "image.png";
    const std::size_t channels = GENERATE(std::size_t{1}, std::size_t{3});
    nn::Image image{20, 30, channels, Pixels(20 * 30 * channels)};
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * i % 251);
    nn::write_png(path, image);
    const nn::Image copy = read_png(path);
    CHECK(copy.rows == image.rows);
    CHECK(copy.columns == image.columns);
    CHECK(copy.channels == image.channels);
    CHECK(copy.pixels == image.pixels);
    CHECK(directory.entries() == 1);
}

TEST_CASE("what cannot be a PNG", "[image]") {
    const TemporaryDirectory directory;
    constexpr std::size_t huge = std::size_t{1} << 32;
    const std::vector<nn::Image> images{nn::Image{},   {1, 1, 1, {}},     {1, 1, 2, {1, 2}},
                                        {0, 5, 1, {}}, {1, 1, 1, {1, 2}}, {huge, huge, 1, {}}};
    for (const auto& image : images) {
        CHECK_THROWS_AS(nn::write_png(directory / "image.png", image), nn::FileError);
    }
    CHECK(directory.entries() == 0);

    const auto path = directory / "nowhere/image.png";
    CHECK(file_error([&] {
              nn::write_png(path, {1, 1, 1, {5}});
          }) == path.string() + ": cannot be written: No such file or directory");
}
