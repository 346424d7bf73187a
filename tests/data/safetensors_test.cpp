// Safetensors: what is written is read back exactly, and every broken rule is named.
#include <nn/data/safetensors.hpp>

#include <cstring>
#include <limits>
#include <string>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

using autograd::Array;

std::string file_of(const std::string& header, const std::string& data, std::size_t length) {
    std::string text(8, '\0');
    const std::uint64_t number = length;
    std::memcpy(text.data(), &number, 8);
    return text + header + data;
}

std::string file_of(const std::string& header, const std::string& data = "") { return file_of(header, data, header.size()); }

nn::TensorFile example() {
    nn::TensorFile contents;
    contents.tensors["layer.weight"] = Array<float>{{1.5F, -2.0F, 0.0F}, {4.0F, 5.0F, 6.0F}};
    contents.tensors["layer.bias"] = Array<double>{0.1, std::numeric_limits<double>::infinity()};
    contents.tensors["step"] = autograd::full<std::int64_t>({}, -7);
    contents.tensors["image"] = Array<std::uint8_t>{1, 2, 255};
    contents.tensors["nothing"] = autograd::empty<float>({3, 0});
    contents.metadata = {{"model", "VAE"}, {"quote", "\"ü\n"}};
    return contents;
}

}  // namespace

TEST_CASE("tensors and text come back as they were", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    const nn::TensorFile contents = GENERATE(nn::TensorFile{}, example());
    nn::write_safetensors(path, contents);
    CHECK(directory.entries() == 1);
    const nn::TensorFile copy = nn::read_safetensors(path);
    CHECK(copy.metadata == contents.metadata);
    CHECK(copy.tensors.size() == contents.tensors.size());
    for (const auto& [name, tensor] : contents.tensors) {
        INFO(name);
        const nn::Tensor& other = copy.tensors.at(name);
        REQUIRE(other.index() == tensor.index());
        std::visit(
            [&](const auto& array) {
                const auto& found = std::get<std::decay_t<decltype(array)>>(other);
                REQUIRE(found.shape() == array.shape());
                CHECK(std::equal(array.data(), array.data() + array.size(), found.data()));
            },
            tensor);
    }
}

TEST_CASE("the bytes of a safetensors file", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    nn::TensorFile contents;
    contents.tensors["a"] = Array<std::uint8_t>{7};
    contents.tensors["b"] = Array<float>{1.0F};
    nn::write_safetensors(path, contents);
    // The larger element comes first in the data; the header is padded with spaces to a multiple of 8.
    const std::string header =
        R"({"a":{"data_offsets":[4,5],"dtype":"U8","shape":[1]},"b":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}})";
    const std::string padding((8 - header.size() % 8) % 8, ' ');
    CHECK(read_text(path) == file_of(header + padding, bytes({0, 0, 0x80, 0x3f, 7})));
}

TEST_CASE("a NaN and a negative zero keep their bits", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    const Array<float> values{std::numeric_limits<float>::quiet_NaN(), -0.0F};
    nn::TensorFile contents;
    contents.tensors["values"] = values;
    nn::write_safetensors(path, contents);
    const auto copy = std::get<Array<float>>(nn::read_safetensors(path).tensors.at("values"));
    CHECK(std::memcmp(copy.data(), values.data(), 8) == 0);
}

TEST_CASE("a safetensors file which breaks a rule", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "bad.safetensors";
    const auto message = [&](const std::string& text) {
        write_text(path, text);
        const std::string result = file_error([&] { nn::read_safetensors(path); });
        const std::string start = path.string() + ": ";
        CHECK(result.substr(0, start.size()) == start);
        return result.substr(std::min(start.size(), result.size()));
    };
    const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
    };
    const std::string data(8, 'x');

    SECTION("lengths") {
        CHECK(message("") == "is not a safetensors file: expected at least 8 bytes, found 0");
        CHECK(message("1234567") == "is not a safetensors file: expected at least 8 bytes, found 7");
        CHECK(message(file_of("{}", "", 3)) ==
              "the header should have 3 bytes, but only 2 follow: truncated, or not a safetensors file");
        CHECK(message(file_of("{}", "", std::numeric_limits<std::size_t>::max())) ==
              "the header should have 18446744073709551615 bytes, but only 2 follow: truncated, or not a safetensors "
              "file");
        CHECK(message(file_of("")) == "is not a safetensors file: the header must begin with '{'");
        CHECK(message(file_of(std::string(100'000'001, ' '))) == "the header has 100000001 bytes, expected at most 100000000");
        CHECK(message(file_of("{}", "x")) == "expected 0 bytes of data after the header, found 1");
    }
    SECTION("JSON") {
        CHECK(message(file_of("[]")) == "is not a safetensors file: the header must begin with '{'");
        CHECK(message(file_of("{\"a\":}")).find("the header is not valid JSON: ") == 0);
        CHECK(message(file_of("{} x")).find("the header is not valid JSON: ") == 0);
        for (const std::string rest : {"", "anything", "{}", " "}) {  // after a zero byte
            CHECK(message(file_of("{}" + std::string(1, '\0') + rest)) == "the header is not valid JSON: it has a zero byte");
        }
        CHECK(message(file_of("{\"\xff\":1}")).find("the header is not valid JSON: ") == 0);
        CHECK(message(file_of("{\"a\":" + std::string(1'000'000, '['))) == "the header is nested deeper than 3 levels");
        CHECK(message(file_of(R"({"a":{"b":{"c":{}}}})")) == "the header is nested deeper than 3 levels");
        CHECK(message(file_of(R"({"a":1,"b":2,"a":3})")) == "the header has the name \"a\" twice");
        CHECK(message(file_of(R"({"a":{"shape":1,"shape":1}})")) == "the header has the name \"shape\" twice");
    }
    SECTION("entries") {
        const std::string expected = "tensor t: expected an object with dtype, shape and data_offsets";
        CHECK(message(file_of(R"({"t":5})")) == expected);
        CHECK(message(file_of(R"({"t":{"dtype":"F32","shape":[2]}})", data)) == expected);
        CHECK(message(file_of(tensor("\"BF16\"", "[4]", "[0,8]"), data)) ==
              "tensor t: element type \"BF16\" cannot be read, only F32, F64, I64 and U8");
        CHECK(message(file_of(tensor("4", "[4]", "[0,8]"), data)) ==
              "tensor t: element type 4 cannot be read, only F32, F64, I64 and U8");
        for (const std::string shape : {"2", "[-2]", "[2.0]", "[\"2\"]", "[1e30]", "[99999999999999999999]", "{}"}) {
            CHECK(message(file_of(tensor("\"F32\"", shape, "[0,8]"), data))
                      .find("tensor t: expected shape as a list of whole numbers, found ") == 0);
        }
        CHECK(message(file_of(tensor("\"F32\"", "[2]", "[0,-8]"), data)) ==
              "tensor t: expected data_offsets as a list of whole numbers, found [0,-8]");
        for (const std::string offsets : {"[]", "[0]", "[0,8,8]", "[8,0]", "[0,9]", "[18446744073709551615,8]"}) {
            CHECK(message(file_of(tensor("\"F32\"", "[2]", offsets), data)) ==
                  "tensor t: expected data_offsets [begin, end] within the 8 bytes of data, found " + offsets);
        }
        for (const std::string shape : {"[3]", "[]", "[0]"}) {
            CHECK(message(file_of(tensor("\"F32\"", shape, "[0,8]"), data)) ==
                  "tensor t: shape " + shape + " of F32 does not take the 8 bytes which its data_offsets say");
        }
        CHECK(message(file_of(tensor("\"F32\"", "[1]", "[0,0]"))) ==
              "tensor t: shape [1] of F32 does not take the 0 bytes which its data_offsets say");
        // Products that overflow, to 2 for one; no bytes, but strides that overflow, or extents beyond all sizes.
        for (const std::string shape : {"[2,4611686018427387905]", "[9223372036854775808,2]", "[0,1125899906842624]",
                                        "[0,9223372036854775808,9223372036854775808]"}) {
            for (const std::string offsets : {"[0,8]", "[0,0]"}) {
                CHECK(message(file_of(tensor("\"F32\"", shape, offsets), data)) ==
                      "tensor t: shape " + shape + " of F32 is too large for any memory");
            }
        }
        CHECK(message(file_of("{\"\\u001b[2J\":5}")) ==
              "tensor \\x1b[2J: expected an object with dtype, shape and data_offsets");
        for (const std::string value : {"\"text\"", "[]", "false", "0"}) {
            CHECK(message(file_of(R"({"__metadata__":)" + value + "}")) ==
                  "__metadata__ must be an object of strings, or null");
        }
        CHECK(message(file_of(R"({"__metadata__":{"a":1}})")) == "__metadata__: the value of a must be a string");
    }
    SECTION("layout of the data") {
        const auto two = [](const std::string& a, const std::string& b) {
            return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
                   R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
        };
        CHECK(message(file_of(two("[0,4]", "[2,6]"), data)) ==
              "tensor b: expected its data to begin at 4, where the one before ends, found 2");
        CHECK(message(file_of(two("[0,4]", "[0,4]"), data)) ==
              "tensor b: expected its data to begin at 4, where the one before ends, found 0");
        CHECK(message(file_of(two("[0,4]", "[5,9]"), data + "x")) ==
              "tensor b: expected its data to begin at 4, where the one before ends, found 5");
        CHECK(message(file_of(two("[1,5]", "[5,9]"), data + "x")) ==
              "tensor a: expected its data to begin at 0, where the one before ends, found 1");
        CHECK(message(file_of(two("[0,4]", "[4,8]"), data + "x")) == "expected 8 bytes of data after the header, found 9");
    }
}

TEST_CASE("the order of names in the header is free", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    write_text(path, file_of(R"({"b":{"data_offsets":[1,2],"dtype":"U8","shape":[1]},)"
                             R"("e":{"shape":[0],"dtype":"F32","data_offsets":[1,1]},)"
                             R"("a":{"shape":[1],"dtype":"U8","data_offsets":[0,1]}}   )",
                             "xy"));
    const nn::TensorFile contents = nn::read_safetensors(path);
    CHECK(std::get<Array<std::uint8_t>>(contents.tensors.at("a"))(0) == 'x');
    CHECK(std::get<Array<std::uint8_t>>(contents.tensors.at("b"))(0) == 'y');
    CHECK(std::get<Array<float>>(contents.tensors.at("e")).size() == 0);
}

TEST_CASE("metadata may be null", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    write_text(path, file_of(R"({"__metadata__":null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x"));
    const nn::TensorFile contents = nn::read_safetensors(path);
    CHECK(contents.metadata.empty());
    CHECK(contents.tensors.size() == 1);
}

TEST_CASE("a damaged safetensors file", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    const auto read = [&] { nn::read_safetensors(path); };
    nn::write_safetensors(path, example());
    CHECK(read_truncated(path, read).accepted == 0);
    const auto verdicts = read_corrupted(path, read);
    // Values, letters of names and spaces that became other white space are still a file; most of the header is not.
    CHECK(verdicts.refused > verdicts.accepted);
}

TEST_CASE("what cannot be written as safetensors", "[safetensors]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    nn::TensorFile contents;
    SECTION("a name that is taken") { contents.tensors["__metadata__"] = Array<float>{1.0F}; }
    SECTION("a name that is not UTF-8") { contents.tensors["\xff"] = Array<float>{1.0F}; }
    SECTION("text that is not UTF-8") { contents.metadata["a"] = "\xff"; }
    CHECK_THROWS_AS(nn::write_safetensors(path, contents), nn::FileError);
    CHECK(directory.entries() == 0);

    const auto below = directory / "nowhere/model.safetensors";
    CHECK(file_error([&] { nn::write_safetensors(below, {}); }) ==
          below.string() + ": cannot be written: No such file or directory");
}
