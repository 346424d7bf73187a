// The format: 8 bytes header length, little-endian; the header, JSON {name: {dtype, shape, data_offsets}}, padded with
// spaces; then the arrays, back to back. See https://huggingface.co/docs/safetensors.
#include "nn/data/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "nn/data/file.hpp"

namespace nn {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian, and copied as they are");

constexpr std::size_t length_size = 8;
constexpr std::size_t largest_header = 100'000'000;
constexpr std::size_t deepest_nesting = 3;  // header, entry, shape
constexpr const char* metadata_key = "__metadata__";

/// JSON whose end takes no memory. That of json does, for whatever has elements, and where there is none ends the program.
struct Document {
    json value;

    Document() = default;
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;
    ~Document() { take_apart(value); }

   private:
    static void take_apart(json& each) {
        if (auto* members = each.get_ptr<json::object_t*>()) {
            for (auto& member : *members) take_apart(member.second);
            members->clear();
        } else if (auto* elements = each.get_ptr<json::array_t*>()) {
            for (json& element : *elements) take_apart(element);
            elements->clear();
        }
    }
};

struct ElementType {
    const char* name;
    std::size_t size;
    Tensor (*make)(const autograd::Shape&);
};

template <class T>
constexpr ElementType element_type(const char* name) {
    return {name, sizeof(T), [](const autograd::Shape& shape) -> Tensor { return autograd::empty<T>(shape); }};
}

constexpr std::array<ElementType, std::variant_size_v<Tensor>> element_types{
    // in the order of Tensor's alternatives
    element_type<float>("F32"), element_type<double>("F64"), element_type<std::int64_t>("I64"),
    element_type<std::uint8_t>("U8")};

std::span<const std::byte> bytes_of(const Tensor& tensor) {
    return std::visit([](const auto& array) { return std::as_bytes(std::span(array.data(), array.size())); }, tensor);
}

std::span<std::byte> writable_bytes_of(Tensor& tensor) {
    return std::visit([](auto& array) { return std::as_writable_bytes(std::span(array.data(), array.size())); }, tensor);
}

std::vector<std::size_t> shape_of(const Tensor& tensor) {
    return std::visit([](const auto& array) { return std::vector<std::size_t>(array.shape().begin(), array.shape().end()); },
                      tensor);
}

/// One tensor's line of the header, checked in itself.
struct Entry {
    std::string name;
    const ElementType* type;
    autograd::Shape shape;
    std::size_t begin;
    std::size_t end;
};

class Reader {
   public:
    explicit Reader(const std::filesystem::path& path) : path_(path), bytes_(read_file(path)) {}

    TensorFile read() {
        Document document;
        parse_header(document);
        const json& header = document.value;
        TensorFile result;
        std::vector<Entry> entries;
        for (const auto& [name, value] : header.items()) {
            if (name == metadata_key) {
                result.metadata = parse_metadata(value);
            } else {
                entries.push_back(parse_entry(name, value));
            }
        }
        std::sort(entries.begin(), entries.end(),
                  [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
        std::size_t expected = 0;
        for (const Entry& entry : entries) {
            if (entry.begin != expected) {
                fail("tensor {}: expected its data to begin at {}, where the one before ends, found {}", entry.name, expected,
                     entry.begin);
            }
            expected = entry.end;
        }
        if (expected != data_.size()) fail("expected {} bytes of data after the header, found {}", expected, data_.size());
        for (const Entry& entry : entries) {
            Tensor tensor = entry.type->make(entry.shape);
            const auto destination = writable_bytes_of(tensor);
            std::copy_n(data_.data() + entry.begin, destination.size(), destination.data());
            result.tensors.emplace(entry.name, std::move(tensor));
        }
        return result;
    }

   private:
    template <class... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
        throw FileError(path_, fmt::format(format, std::forward<Args>(args)...));
    }

    void parse_header(Document& document) {
        if (bytes_.size() < length_size) {
            fail("is not a safetensors file: expected at least {} bytes, found {}", length_size, bytes_.size());
        }
        std::uint64_t length = 0;
        std::memcpy(&length, bytes_.data(), length_size);
        const auto rest = std::span(bytes_).subspan(length_size);
        if (length > rest.size()) {
            fail("the header should have {} bytes, but only {} follow: truncated, or not a safetensors file", length,
                 rest.size());
        }
        if (length > largest_header) fail("the header has {} bytes, expected at most {}", length, largest_header);
        data_ = rest.subspan(length);
        const auto* text = reinterpret_cast<const char*>(rest.data());
        if (length == 0 || text[0] != '{') fail("is not a safetensors file: the header must begin with '{{'");
        // To nlohmann's parser a zero byte is the end of the text, whatever follows.
        if (std::memchr(text, 0, length) != nullptr) fail("the header is not valid JSON: it has a zero byte");
        Builder builder(*this, document.value);
        json::sax_parse(std::string_view(text, length), &builder);
    }

    /// Makes the document out of what the parser meets. json::parse() would do that too, but lets a json go that is half
    /// made when memory runs out; here it is always a Document's.
    class Builder final : public json::json_sax_t {
       public:
        Builder(const Reader& reader, json& root) : reader_(reader), root_(root) {}

        bool null() override { return place(nullptr); }
        bool boolean(bool value) override { return place(value); }
        bool number_integer(json::number_integer_t value) override { return place(value); }
        bool number_unsigned(json::number_unsigned_t value) override { return place(value); }
        bool number_float(json::number_float_t value, const json::string_t&) override { return place(value); }
        bool string(json::string_t& value) override { return place(std::move(value)); }
        bool binary(json::binary_t& value) override { return place(std::move(value)); }
        bool start_object(std::size_t) override { return open(json::value_t::object); }
        bool start_array(std::size_t) override { return open(json::value_t::array); }
        bool end_object() override { return close(); }
        bool end_array() override { return close(); }
        bool key(json::string_t& name) override {
            if (open_.back()->contains(name)) reader_.fail("the header has the name {} twice", json(name).dump());
            key_ = std::move(name);
            return true;
        }
        bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
            reader_.fail("the header is not valid JSON: {}", error.what());
        }

       private:
        bool place(json value) {
            add(std::move(value));
            return true;
        }
        bool open(json::value_t type) {
            if (open_.size() >= deepest_nesting) {
                reader_.fail("the header is nested deeper than {} levels", deepest_nesting);
            }
            open_.push_back(&add(type));
            return true;
        }
        bool close() {
            open_.pop_back();
            return true;
        }
        json& add(json value) {
            if (open_.empty()) return root_ = std::move(value);
            json& within = *open_.back();
            if (within.is_object()) return within[key_] = std::move(value);
            within.push_back(std::move(value));
            return within.back();
        }

        const Reader& reader_;
        json& root_;
        std::vector<json*> open_;
        std::string key_;  // of the member to come
    };

    std::map<std::string, std::string> parse_metadata(const json& value) const {
        if (value.is_null()) return {};  // which the reference implementation takes for none
        if (!value.is_object()) fail("{} must be an object of strings, or null", metadata_key);
        std::map<std::string, std::string> result;
        for (const auto& [key, text] : value.items()) {
            if (!text.is_string()) fail("{}: the value of {} must be a string", metadata_key, key);
            result.emplace(key, text.get<std::string>());
        }
        return result;
    }

    Entry parse_entry(const std::string& name, const json& value) const {
        if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets")) {
            fail("tensor {}: expected an object with dtype, shape and data_offsets", name);
        }
        const json& dtype = value["dtype"];
        // Not dtype == candidate.name: json's comparison makes a json of the name, which takes memory, within noexcept.
        const auto* dtype_name = dtype.get_ptr<const std::string*>();
        const auto* type = std::find_if(element_types.begin(), element_types.end(), [&](const ElementType& candidate) {
            return dtype_name != nullptr && *dtype_name == candidate.name;
        });
        if (type == element_types.end()) {
            fail("tensor {}: element type {} cannot be read, only F32, F64, I64 and U8", name, dtype.dump());
        }
        const auto offsets = parse_numbers(name, "data_offsets", value["data_offsets"]);
        if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_.size()) {
            fail("tensor {}: expected data_offsets [begin, end] within the {} bytes of data, found {}", name, data_.size(),
                 value["data_offsets"].dump());
        }
        const auto extents = parse_numbers(name, "shape", value["shape"]);
        const auto count = element_count_within(extents, autograd::most_bytes / type->size);
        if (!count) fail("tensor {}: shape {} of {} is too large for any memory", name, value["shape"].dump(), type->name);
        if (*count * type->size != offsets[1] - offsets[0]) {
            fail("tensor {}: shape {} of {} does not take the {} bytes which its data_offsets say", name, value["shape"].dump(),
                 type->name, offsets[1] - offsets[0]);
        }
        return {name, type, autograd::Shape(extents.begin(), extents.end()), offsets[0], offsets[1]};
    }

    std::vector<std::uint64_t> parse_numbers(const std::string& name, const char* what, const json& value) const {
        const bool good = value.is_array() && std::all_of(value.begin(), value.end(),
                                                          [](const json& number) { return number.is_number_unsigned(); });
        if (!good) fail("tensor {}: expected {} as a list of whole numbers, found {}", name, what, value.dump());
        return value.get<std::vector<std::uint64_t>>();
    }

    const std::filesystem::path& path_;
    std::vector<std::byte> bytes_;
    std::span<const std::byte> data_;  // what follows the header
};

/// @throws FileError if the text is not UTF-8.
std::string quoted(const std::filesystem::path& path, const std::string& text) {
    try {
        return json(text).dump();
    } catch (const json::exception& error) {
        throw FileError(path, fmt::format("a name or the metadata is not UTF-8: {}", error.what()));
    }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const TensorFile& contents) {
    // Larger elements first: then every array is aligned to its element size, as the reference implementation has it.
    std::vector<const std::pair<const std::string, Tensor>*> order;
    order.reserve(contents.tensors.size());
    for (const auto& entry : contents.tensors) order.push_back(&entry);
    std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
        return element_types[a->second.index()].size > element_types[b->second.index()].size;
    });

    std::map<std::string, std::string> lines;  // of the header
    if (!contents.metadata.empty()) {
        std::vector<std::string> notes;
        notes.reserve(contents.metadata.size());
        for (const auto& [key, note] : contents.metadata) {
            notes.push_back(fmt::format("{}:{}", quoted(path, key), quoted(path, note)));
        }
        lines.emplace(metadata_key, fmt::format("{{{}}}", fmt::join(notes, ",")));
    }
    std::size_t offset = 0;
    for (const auto* entry : order) {
        const auto& [name, tensor] = *entry;
        if (name == metadata_key) throw FileError(path, fmt::format("a tensor cannot have the name {}", metadata_key));
        std::visit([&](const auto& array) { autograd::require_values(array, name.c_str()); }, tensor);
        const std::size_t end = offset + bytes_of(tensor).size();
        lines.emplace(name, fmt::format(R"({{"data_offsets":[{},{}],"dtype":"{}","shape":[{}]}})", offset, end,
                                        element_types[tensor.index()].name, fmt::join(shape_of(tensor), ",")));
        offset = end;
    }
    std::string text = "{";
    for (const auto& [name, line] : lines) {
        if (text.size() > 1) text += ',';
        text += fmt::format("{}:{}", quoted(path, name), line);
    }
    text += '}';
    text.resize((text.size() + 7) / 8 * 8, ' ');

    const std::uint64_t length = text.size();
    std::vector<std::byte> bytes;
    bytes.reserve(length_size + text.size() + offset);
    const auto append = [&](std::span<const std::byte> part) { bytes.insert(bytes.end(), part.begin(), part.end()); };
    append(std::as_bytes(std::span(&length, 1)));
    append(std::as_bytes(std::span(text)));
    for (const auto* entry : order) append(bytes_of(entry->second));
    write_file_atomically(path, bytes);
}

TensorFile read_safetensors(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace nn
