// Everything is drawn by one function, paste; letters are small pictures. PNG goes through libpng's simplified
// interface, which keeps its longjmp to itself.
#include "nn/data/image.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "nn/data/file.hpp"

namespace nn {
namespace {

constexpr std::size_t largest_side = 1'000'000;  // libpng's own default limit

// The printable ASCII characters, ' ' first, 5 x 9 bits each: rows from the top, two of them below the base line; the
// left column is the highest bit of its row.
constexpr std::size_t glyph_rows = 9;
constexpr std::size_t glyph_columns = 5;
constexpr char first_glyph = ' ';
constexpr std::array<std::uint64_t, 95> glyphs{
    0x000000000000, 0x042108401000, 0x0a5000000000, 0x0a57d5f52800, 0x047d1c5f1000, 0x18c888898c00, 0x0c9511593400,
    0x042000000000, 0x022108420800, 0x082108422000, 0x00255d520000, 0x00213e420000, 0x000000031844, 0x00003e000000,
    0x000000031800, 0x000888880000, 0x0e8ceb98b800, 0x046108423800, 0x0e8844447c00, 0x1f110418b800, 0x0232a5f10800,
    0x1f878218b800, 0x06443d18b800, 0x1f0888842000, 0x0e8c5d18b800, 0x0e8c5e113000, 0x000318063000, 0x000318063088,
    0x022220820800, 0x0007c1f00000, 0x082082222000, 0x0e8844401000, 0x0e8deb783c00, 0x0e8c7f18c400, 0x1e8c7d18f800,
    0x0e8c2108b800, 0x1e8c6318f800, 0x1f843d087c00, 0x1f843d084000, 0x0e8c2f18bc00, 0x118c7f18c400, 0x0e2108423800,
    0x071084293000, 0x119531494400, 0x108421087c00, 0x11dd6b18c400, 0x11cd6b38c400, 0x0e8c6318b800, 0x1e8c7d084000,
    0x0e8c63593400, 0x1e8c7d494400, 0x0f841c10f800, 0x1f2108421000, 0x118c6318b800, 0x118c63151000, 0x118c6b5aa800,
    0x118a88a8c400, 0x118a88421000, 0x1f0888887c00, 0x0e4210843800, 0x008208208000, 0x0e1084213800, 0x045440000000,
    0x0000000003e0, 0x082000000000, 0x000382f8bc00, 0x1085b318f800, 0x0003a108b800, 0x010b6718bc00, 0x0003a3f83800,
    0x064a3c842000, 0x0003e318bc2e, 0x1085b318c400, 0x040308423800, 0x020184210a4c, 0x1084a98a4800, 0x0c2108423800,
    0x0006ab5ac400, 0x0005b318c400, 0x0003a318b800, 0x0005b318fa10, 0x00036718bc21, 0x0005b3084000, 0x0003e0e0f800,
    0x084790849800, 0x00046319b400, 0x000463151000, 0x0004635aa800, 0x000454454400, 0x00046318bc2e, 0x0007c4447c00,
    0x032110420c00, 0x042108421000, 0x0c1082213000, 0x000011510000,
};

Image blank(std::size_t rows, std::size_t columns, std::size_t channels, std::uint8_t grey) {
    return {rows, columns, channels, std::vector<std::uint8_t>(rows * columns * channels, grey)};
}

/// Draws `source` into `target` with its upper left corner at (top, left); grey into colour is allowed.
void paste(const Image& source, Image& target, std::size_t top, std::size_t left, std::size_t scale = 1) {
    for (std::size_t row = 0; row < source.rows * scale; ++row) {
        for (std::size_t column = 0; column < source.columns * scale; ++column) {
            const std::size_t from = ((row / scale) * source.columns + column / scale) * source.channels;
            const std::size_t to = ((top + row) * target.columns + left + column) * target.channels;
            for (std::size_t channel = 0; channel < target.channels; ++channel) {
                target.pixels[to + channel] = source.pixels[from + (source.channels == 1 ? 0 : channel)];
            }
        }
    }
}

/// @throws ShapeError if it has not the pixels that its sizes say, or is too large.
void require_whole(const Image& image, const char* function) {
    const bool fits = std::max(image.rows, image.columns) <= largest_side && (image.channels == 1 || image.channels == 3);
    if (fits && image.pixels.size() == image.rows * image.columns * image.channels) return;
    throw autograd::ShapeError(
        fmt::format("{}: a picture of {} x {} pixels of {} channels (1 or 3 are possible) with {} numbers", function,
                    autograd::as_written(image.rows), autograd::as_written(image.columns), autograd::as_written(image.channels),
                    image.pixels.size()));
}

void require_side(std::size_t side, const char* function) {
    if (side <= largest_side) return;
    throw autograd::ShapeError(
        fmt::format("{}: a side of {} pixels; at most {} are possible", function, autograd::as_written(side), largest_side));
}

Image glyph(char letter, std::uint8_t ink, std::uint8_t background) {
    const bool printable = letter >= first_glyph && letter < first_glyph + static_cast<int>(glyphs.size());
    const std::uint64_t bits = glyphs[static_cast<std::size_t>((printable ? letter : '?') - first_glyph)];
    Image image = blank(glyph_rows, glyph_columns, 1, background);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        if ((bits >> (image.pixels.size() - 1 - i) & 1U) != 0) image.pixels[i] = ink;
    }
    return image;
}

Image to_image(std::span<const float> values, std::size_t rows, std::size_t columns, std::size_t number) {
    Image image = blank(rows, columns, 1, 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) {
            throw autograd::Error(fmt::format("image_grid: image {} has a NaN at row {}, column {}; expected values in [0, 1]",
                                              number, i / columns, i % columns));
        }
        image.pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(values[i], 0.0F, 1.0F) * 255.0F));
    }
    return image;
}

/// cells of `extent` pixels, with padding between and around them, scaled
std::size_t grid_side(std::size_t cells, std::size_t extent, const GridOptions& options) {
    const bool in_range = std::max({cells, extent, options.padding, options.scale}) <= largest_side;
    const std::size_t cell = extent + options.padding;
    if (!in_range || cells > largest_side / cell || (cells * cell + options.padding) > largest_side / options.scale) {
        throw autograd::ShapeError(
            fmt::format("image_grid: {} cells of {} pixels with padding {} and scale {}: expected a side of at most {} pixels",
                        autograd::as_written(cells), autograd::as_written(extent), autograd::as_written(options.padding),
                        autograd::as_written(options.scale), largest_side));
    }
    return (cells * cell + options.padding) * options.scale;
}

}  // namespace

Image image_grid(const autograd::Array<float>& images, std::size_t rows, std::size_t columns, std::size_t grid_columns,
                 const GridOptions& options) {
    const std::size_t size = images.dimension() == 2 ? images.shape(1) : 0;
    if (size == 0 || images.shape(0) == 0 || rows == 0 || size % rows != 0 || size / rows != columns) {
        throw autograd::ShapeError(fmt::format("image_grid: expected images of shape (count, {} * {}), found {}",
                                               autograd::as_written(rows), autograd::as_written(columns),
                                               autograd::to_string(images.shape())));
    }
    autograd::require_values(images, "image_grid");
    if (grid_columns == 0 || options.scale == 0) {
        throw autograd::ShapeError(fmt::format("image_grid: expected grid columns and scale of at least 1, found {} and {}",
                                               grid_columns, options.scale));
    }
    const std::size_t count = images.shape(0);
    const std::size_t across = std::min(grid_columns, count);
    const std::size_t down = (count + across - 1) / across;
    Image grid = blank(grid_side(down, rows, options), grid_side(across, columns, options), 1, options.background);
    for (std::size_t i = 0; i < count; ++i) {
        const Image cell = to_image(std::span(images.data() + i * size, size), rows, columns, i);
        const auto start = [&](std::size_t position, std::size_t extent) {
            return (options.padding + position * (extent + options.padding)) * options.scale;
        };
        paste(cell, grid, start(i / across, rows), start(i % across, columns), options.scale);
    }
    return grid;
}

Image side_by_side(const std::vector<Image>& images, std::size_t gap, std::uint8_t background) {
    std::size_t rows = 0;
    if (gap > largest_side) {
        throw autograd::ShapeError(
            fmt::format("side_by_side: a gap of {} pixels; at most {} are possible", autograd::as_written(gap), largest_side));
    }
    std::size_t columns = images.empty() ? 0 : gap * (images.size() - 1);
    std::size_t channels = 1;
    for (const Image& image : images) {
        require_whole(image, "side_by_side");
        rows = std::max(rows, image.rows);
        columns += image.columns;
        channels = std::max(channels, image.channels);
    }
    require_side(columns, "side_by_side");
    Image result = blank(rows, columns, channels, background);
    std::size_t left = 0;
    for (const Image& image : images) {
        paste(image, result, 0, left);
        left += image.columns + gap;
    }
    return result;
}

Image with_caption(const Image& image, std::string_view text, std::size_t scale, std::uint8_t background) {
    require_whole(image, "with_caption");
    if (scale == 0 || scale > largest_side || text.size() > largest_side) {
        throw autograd::ShapeError(fmt::format("with_caption: {} letters, of {} pixels a dot: 1 pixel at least, and at most {}",
                                               text.size(), autograd::as_written(scale), largest_side));
    }
    const std::uint8_t ink = background < 128 ? 255 : 0;
    const std::size_t margin = 2 * scale;
    const std::size_t height = glyph_rows * scale + 2 * margin;
    const std::size_t advance = (glyph_columns + 1) * scale;
    require_side(std::max(image.rows + height, text.size() * advance + 2 * margin), "with_caption");
    Image result =
        blank(image.rows + height, std::max(image.columns, text.size() * advance + 2 * margin), image.channels, background);
    for (std::size_t i = 0; i < text.size(); ++i) {
        paste(glyph(text[i], ink, background), result, margin, margin + i * advance, scale);
    }
    paste(image, result, height, 0);
    return result;
}

void write_png(const std::filesystem::path& path, const Image& image) {
    const bool drawable = std::min(image.rows, image.columns) > 0 && std::max(image.rows, image.columns) <= largest_side &&
                          (image.channels == 1 || image.channels == 3);
    if (!drawable || image.pixels.size() != image.rows * image.columns * image.channels) {
        throw FileError(path, fmt::format("cannot be a PNG: {} x {} pixels of {} channels (1 or 3 are possible) in {} bytes",
                                          image.rows, image.columns, image.channels, image.pixels.size()));
    }
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    header.width = static_cast<png_uint_32>(image.columns);
    header.height = static_cast<png_uint_32>(image.rows);
    header.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    std::vector<std::byte> encoded;
    // One pass finds the size, the other writes.
    png_alloc_size_t size = 0;
    int written = png_image_write_to_memory(&header, nullptr, &size, 0, image.pixels.data(), 0, nullptr);
    if (written != 0) {
        encoded.resize(size);
        written = png_image_write_to_memory(&header, encoded.data(), &size, 0, image.pixels.data(), 0, nullptr);
    }
    if (written == 0) throw FileError(path, fmt::format("cannot be a PNG: {}", header.message));
    write_file_atomically(path, encoded);
}

}  // namespace nn
