// Pictures of 8 bits a channel: grids of model outputs, pictures side by side with captions, PNG. No plots.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace XTAPE_API nn {

/// A picture in memory, of rows times columns pixels.
struct Image {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::size_t channels = 1;          ///< 1: grey; 3: red, green, blue
    std::vector<std::uint8_t> pixels;  ///< row by row, the channels of a pixel together
};

/// The lightest grey; 0 is black.
inline constexpr std::uint8_t white = 255;

/// How image_grid() lays out its cells.
struct GridOptions {
    std::size_t padding = 2;          ///< pixels between and around the cells, before scaling
    std::size_t scale = 1;            ///< every pixel becomes a square of this side
    std::uint8_t background = white;  ///< grey level of the padding and of cells without a picture
};

/// Pictures in a grid of `grid_columns` (or of as many as there are pictures, if that is less), row by row.
/// @param images (count, rows * columns); 0 is black, 1 is white, values outside [0, 1] are clamped
/// @throws ShapeError if the shape is another, a size is 0, or the grid has a side of more than a million pixels.
/// @throws Error if a pixel is NaN; the message says which.
[[nodiscard]] Image image_grid(const autograd::Array<float>& images, std::size_t rows, std::size_t columns,
                               std::size_t grid_columns, const GridOptions& options = {});

/// Pictures from left to right, aligned at the top, with `gap` pixels of `background` between them. Grey ones beside coloured
/// ones become coloured.
/// @throws ShapeError if one has not the pixels that its sizes say, or the whole has a side of more than a million pixels.
[[nodiscard]] Image side_by_side(const std::vector<Image>& images, std::size_t gap, std::uint8_t background = white);

/// The picture with a line of text above its left edge, wider than before if the text is. A letter takes 6 * `scale`
/// columns. Characters outside printable ASCII appear as '?'.
/// @throws ShapeError as side_by_side(), or if the scale is 0.
[[nodiscard]] Image with_caption(const Image& image, std::string_view text, std::size_t scale = 2,
                                 std::uint8_t background = white);

/// Writes a picture to a PNG file, as write_file_atomically() does.
/// @throws FileError if the file cannot be written or the picture cannot be a PNG (no pixels, or not as many as its
/// sizes say).
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace nn
