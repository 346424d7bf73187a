// The format: "\x93NUMPY", version, header length (2 bytes in version 1.0, 4 in 2.0, little-endian), the header, a
// Python dictionary as text padded with spaces to a newline; then the elements.
#include "nn/data/npy.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/data/file.hpp"

namespace nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the elements are little-endian, and copied as they are");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t largest_header = std::size_t{1} << 16;
constexpr std::size_t alignment = 64;                  // of the elements within the file
constexpr std::size_t largest_rank = 64;               // NumPy's, from its version 2 on
constexpr std::string_view white_space = " \t\n\r\f";  // Python's

struct ElementType {
    std::string_view descr;  // as NumPy writes it: the order of bytes, then what is in them
    std::size_t size;
    Tensor (*make)(const autograd::Shape&);
};

template <class T>
constexpr ElementType element_type(std::string_view descr) {
    return {descr, sizeof(T), [](const autograd::Shape& shape) -> Tensor { return autograd::empty<T>(shape); }};
}

constexpr std::array<ElementType, std::variant_size_v<Tensor>> element_types{
    // in the order of Tensor's alternatives
    element_type<float>("<f4"), element_type<double>("<f8"), element_type<std::int64_t>("<i8"),
    element_type<std::uint8_t>("|u1")};

struct Header {
    const ElementType* type = nullptr;
    std::vector<std::uint64_t> extents;
};

/// The header's text: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } in any order of the keys. Of the other
/// ways in which Python might spell that dictionary it takes those that are met with: double quotes, and the L which
/// Python 2 put behind a long integer.
class HeaderParser {
   public:
    HeaderParser(const std::filesystem::path& path, std::string_view text) : path_(path), rest_(text) {}

    Header parse() {
        Header header;
        bool has_type = false, has_order = false, has_shape = false, in_fortran_order = false;
        expect("{");
        while (!accept("}")) {
            const std::string_view key = quoted();
            expect(":");
            if (key == "descr" && !std::exchange(has_type, true)) {
                header.type = &element_type_of();
            } else if (key == "fortran_order" && !std::exchange(has_order, true)) {
                in_fortran_order = accept("True");
                if (!in_fortran_order) expect("False");
            } else if (key == "shape" && !std::exchange(has_shape, true)) {
                header.extents = tuple();
            } else {
                fail("the header has the key '{}', which is not expected there", key);
            }
            if (!accept(",") && !begins_with("}")) broken();
        }
        skip_spaces();
        if (!rest_.empty()) broken();
        if (!has_type || !has_order || !has_shape) {
            fail("the header lacks '{}'", !has_type ? "descr" : !has_order ? "fortran_order" : "shape");
        }
        if (in_fortran_order && header.extents.size() > 1)
            fail("is in Fortran order: only C order can be read (numpy.ascontiguousarray makes it)");
        return header;
    }

   private:
    template <class... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
        throw FileError(path_, fmt::format(format, std::forward<Args>(args)...));
    }
    [[noreturn]] void broken() const {
        fail("the header is not a dictionary {{'descr': ..., 'fortran_order': ..., 'shape': ...}} as NumPy writes it");
    }

    void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(white_space), rest_.size())); }
    bool begins_with(std::string_view text) {
        skip_spaces();
        return rest_.starts_with(text);
    }
    bool accept(std::string_view text) {
        if (!begins_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    void expect(std::string_view text) {
        if (!accept(text)) broken();
    }

    std::string_view quoted() {
        const char quote = begins_with("\"") ? '"' : '\'';
        expect({&quote, 1});
        const std::size_t end = rest_.find(quote);
        if (end == rest_.npos) broken();
        const std::string_view text = rest_.substr(0, end);
        if (text.find('\\') != text.npos) broken();  // an escape sequence
        rest_.remove_prefix(end + 1);
        return text;
    }

    const ElementType& element_type_of() {
        if (begins_with("[")) fail("has records for elements: only numbers can be read");
        const std::string_view descr = quoted();
        // '=' is the order of the machine and so is none at all, '|' says that there is none; a byte has none either way.
        const bool has_order = descr.find_first_of("<>=|") == 0;
        const std::string_view kind = descr.substr(has_order ? 1 : 0);
        for (const ElementType& type : element_types) {
            if (type.descr.substr(1) != kind) continue;
            if (descr.starts_with('>') && type.size > 1)
                fail("element type '{}' is big-endian: only little-endian files can be read", descr);
            return type;
        }
        fail("element type '{}': only <f4, <f8, <i8 and |u1 can be read", descr);
    }

    std::vector<std::uint64_t> tuple() {
        std::vector<std::uint64_t> extents;
        expect("(");
        while (!accept(")")) {
            skip_spaces();
            std::uint64_t extent = 0;
            const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
            const bool octal = rest_.starts_with('0') && end != rest_.data() + 1;  // 03 is no number in Python
            if (error != std::errc() || octal) broken();
            if (extents.size() == largest_rank) fail("has more than {} axes, which no array of NumPy has", largest_rank);
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            if (rest_.starts_with('L')) rest_.remove_prefix(1);
            extents.push_back(extent);
            const bool comma = accept(",");
            if (!comma && (extents.size() == 1 || !begins_with(")"))) broken();  // (3) is a number, (3,) a tuple
        }
        return extents;
    }

    const std::filesystem::path& path_;
    std::string_view rest_;
};

/// The next `count` bytes, all of them.
std::vector<std::byte> read_all(InputFile& file, const std::filesystem::path& path, std::size_t count) {
    auto bytes = file.read(count);
    if (bytes.size() < count) {
        throw FileError(path, fmt::format("truncated npy header: expected {} more bytes, found {}", count, bytes.size()));
    }
    return bytes;
}

std::string_view text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string read_header(InputFile& file, const std::filesystem::path& path) {
    const auto start = file.read(magic.size() + 2);
    const std::string_view text = text_of(start);
    if (!text.starts_with(magic)) throw FileError(path, "is not an npy file: it does not begin with \\x93NUMPY");
    if (text.size() < magic.size() + 2) throw FileError(path, "truncated npy header: the version is missing");
    const auto major = std::to_integer<unsigned>(start[magic.size()]), minor = std::to_integer<unsigned>(start.back());
    if ((major != 1 && major != 2) || minor != 0) {
        throw FileError(path, fmt::format("npy version {}.{}: only 1.0 and 2.0 can be read", major, minor));
    }
    const auto encoded = read_all(file, path, major == 1 ? 2 : 4);
    std::size_t length = 0;
    for (std::size_t i = encoded.size(); i-- > 0;) length = length << 8 | std::to_integer<std::size_t>(encoded[i]);
    if (length > largest_header) {
        throw FileError(path, fmt::format("an npy header of {} bytes, which is above the limit of {}", length, largest_header));
    }
    return std::string(text_of(read_all(file, path, length)));
}

}  // namespace

Tensor read_npy(const std::filesystem::path& path, std::size_t limit) {
    InputFile file(path);
    const std::string text = read_header(file, path);
    const Header header = HeaderParser(path, text).parse();
    const auto count = element_count_within(header.extents, limit / header.type->size);
    const auto shape_text = [&] {
        return header.extents.size() == 1 ? fmt::format("({},)", header.extents[0])
                                          : fmt::format("({})", fmt::join(header.extents, ", "));
    };
    if (!count) {
        throw FileError(path, fmt::format("the npy header says {} of {}, which is above the limit of {} bytes", shape_text(),
                                          header.type->descr, limit));
    }
    const std::size_t size = *count * header.type->size;
    const auto bytes = file.read(size + 1);  // one more than there should be
    if (bytes.size() != size) {
        throw FileError(
            path, fmt::format("the npy header says {} of {}, that is {} bytes; found {}", shape_text(), header.type->descr,
                              size, bytes.size() > size ? "more" : fmt::to_string(bytes.size())));
    }
    Tensor tensor = header.type->make(autograd::Shape(header.extents.begin(), header.extents.end()));
    if (size > 0) std::visit([&](auto& array) { std::memcpy(static_cast<void*>(array.data()), bytes.data(), size); }, tensor);
    return tensor;
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
    std::visit(
        [&](const auto& array) {
            autograd::require_values(array, "write_npy");
            std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                                             element_types[tensor.index()].descr, autograd::to_string(array.shape()));
            const std::size_t start = magic.size() + 4;
            header.append(alignment - (start + header.size() + 1) % alignment, ' ');
            header += '\n';
            std::string text(magic);
            for (const std::size_t byte : {std::size_t{1}, std::size_t{0}, header.size() & 255, header.size() >> 8}) {
                text += static_cast<char>(byte);
            }
            text += header;
            text.append(reinterpret_cast<const char*>(array.data()), array.size() * sizeof(*array.data()));
            write_file_atomically(path, std::as_bytes(std::span(text)));
        },
        tensor);
}

}  // namespace nn
