// npy files: against bytes as NumPy writes them, headers which lie, and files damaged in every place.
#include <nn/data/npy.hpp>

#include <fmt/format.h>

#include <string>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

using autograd::Array;

/// A file of version 1.0 with this dictionary, padded as NumPy pads.
std::string npy(std::string dictionary, const std::string& elements) {
    while ((10 + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
    dictionary += '\n';
    return bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<int>(dictionary.size() & 255),
                  static_cast<int>(dictionary.size() >> 8)}) +
           dictionary + elements;
}

/// "(1, 1, ..., last)"
std::string axes(std::size_t rank, int last) {
    std::string result = "(";
    for (std::size_t i = 1; i < rank; ++i) result += "1, ";
    return result + std::to_string(last) + ")";
}

constexpr const char* not_a_dictionary =
    "the header is not a dictionary {'descr': ..., 'fortran_order': ..., 'shape': ...} as NumPy writes it";

std::string two_by_three() {
    return npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", bytes({0, 1, 2, 128, 254, 255}));
}

}  // namespace

TEST_CASE("npy files of each element type, raw or gzipped", "[npy]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file.npy";
    const auto write = GENERATE(write_text, write_gzip);
    write(path, two_by_three());
    CHECK((std::get<Array<std::uint8_t>>(nn::read_npy(path)) == Array<std::uint8_t>{{0, 1, 2}, {128, 254, 255}}));
    // 1.5 and -2 as IEEE numbers; 258 and -1 as integers.
    write(path, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes({0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0})));
    CHECK((std::get<Array<float>>(nn::read_npy(path)) == Array<float>{1.5F, -2}));
    write(path, npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", bytes({0, 0, 0, 0, 0, 0, 0xf8, 0x3f})));
    CHECK(std::get<Array<double>>(nn::read_npy(path))() == 1.5);
    write(path, npy("{'shape': (1, 2), 'fortran_order': False, 'descr': '<i8'}",
                    bytes({2, 1, 0, 0, 0, 0, 0, 0}) + std::string(8, '\xff')));
    CHECK((std::get<Array<std::int64_t>>(nn::read_npy(path)) == Array<std::int64_t>{{258, -1}}));
    write(path, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }", ""));
    CHECK(std::get<Array<float>>(nn::read_npy(path)).shape() == autograd::Shape({0, 5}));
    // Version 2.0 has a longer length.
    const std::string dictionary = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }\n";
    write(path, bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, static_cast<int>(dictionary.size()), 0, 0, 0}) + dictionary + "A");
    CHECK(std::get<Array<std::uint8_t>>(nn::read_npy(path))(0) == 65);
}

TEST_CASE("what is written is what NumPy writes, and comes back", "[npy]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file.npy";
    nn::write_npy(path, Array<std::uint8_t>{{0, 1, 2}, {128, 254, 255}});
    CHECK(read_text(path) == two_by_three());
    const nn::Tensor tensors[] = {Array<float>{{1.25F, 2}, {-3, 0}}, Array<double>{0.1, 1e300},
                                  Array<std::int64_t>{-5, 1LL << 62}, Array<double>(7.0), autograd::empty<float>({3, 0})};
    for (const nn::Tensor& tensor : tensors) {
        nn::write_npy(path, tensor);
        CHECK((nn::read_npy(path) == tensor));
    }
    CHECK(directory.entries() == 1);
}

TEST_CASE("an npy file which lies, or which cannot be read as it is", "[npy]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file.npy";
    const auto message = [&](const std::string& text) {
        write_text(path, text);
        return file_error([&] { nn::read_npy(path); });
    };
    const auto header = [](const std::string& descr, const std::string& order, const std::string& shape) {
        return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
    };
    const std::string start = path.string() + ": ", four = bytes({1, 2, 3, 4});
    CHECK(message("") == start + "is not an npy file: it does not begin with \\x93NUMPY");
    CHECK(message("\x93NUMPY") == start + "truncated npy header: the version is missing");
    CHECK(message(bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 3, 0, 4, 0})) ==
          start + "npy version 3.0: only 1.0 and 2.0 can be read");
    CHECK(message(bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 4})) ==
          start + "truncated npy header: expected 2 more bytes, found 1");
    CHECK(message(bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 255, 255, 255, 255})) ==
          start + "an npy header of 4294967295 bytes, which is above the limit of 65536");
    CHECK(message(npy(header("'|u1'", "True", "(2, 2)"), four)) ==
          start + "is in Fortran order: only C order can be read (numpy.ascontiguousarray makes it)");
    CHECK(message(npy(header("'>f4'", "False", "(1,)"), four)) ==
          start + "element type '>f4' is big-endian: only little-endian files can be read");
    CHECK(message(npy(header("'<f2'", "False", "(2,)"), four)) ==
          start + "element type '<f2': only <f4, <f8, <i8 and |u1 can be read");
    CHECK(message(npy(header("[('x', '<f4')]", "False", "(1,)"), four)) ==
          start + "has records for elements: only numbers can be read");
    CHECK(message(npy(header("'|u1'", "False", "(2, 3)"), four)) ==
          start + "the npy header says (2, 3) of |u1, that is 6 bytes; found 4");
    CHECK(message(npy(header("'|u1'", "False", "(3,)"), four)) ==
          start + "the npy header says (3,) of |u1, that is 3 bytes; found more");
    CHECK(message(npy(header("'<f8'", "False", "(268435457,)"), four)) ==
          start + "the npy header says (268435457,) of <f8, which is above the limit of 2147483648 bytes");
    CHECK(message(npy(header("'<f4'", "False", "(4294967296, 4294967296)"), four)) ==  // 2^64 elements
          start + "the npy header says (4294967296, 4294967296) of <f4, which is above the limit of 2147483648 bytes");
    CHECK(message(npy("{'descr': '|u1', 'shape': (4,), }", four)) == start + "the header lacks 'fortran_order'");
    CHECK(message(npy("{'descr': '|u1', 'descr': '|u1', }", four)) ==
          start + "the header has the key 'descr', which is not expected there");
    CHECK(message(npy("{'colour': '|u1', }", four)) == start + "the header has the key 'colour', which is not expected there");
    for (const char* shape :
         {"4", "(4)", "(4", "(2 2)", "(-4,)", "(,)", "(4,,)", "(18446744073709551616,)", "[4]", "(2.0, 2)"}) {
        INFO(shape);
        CHECK(message(npy(header("'|u1'", "False", shape), four)) == start + not_a_dictionary);
    }
    CHECK(message(npy(header("'|u1'", "False", "(4,)") + " surplus", four)) == start + not_a_dictionary);
    for (const char* descr : {"'|\\x751'", "|u1", "u'|u1'"}) {
        INFO(descr);
        CHECK(message(npy(header(descr, "False", "(4,)"), four)) == start + not_a_dictionary);
    }
    for (const char* shape : {"(4LL,)", "(4l,)", "(L,)", "(4 4L,)"}) {
        INFO(shape);
        CHECK(message(npy(header("'|u1'", "False", shape), four)) == start + not_a_dictionary);
    }
    for (const char* descr : {"", "<", "||u1", "u"}) {
        INFO(descr);
        CHECK(message(npy(header(fmt::format("'{}'", descr), "False", "(4,)"), four)) ==
              fmt::format("{}element type '{}': only <f4, <f8, <i8 and |u1 can be read", start, descr));
    }
    CHECK(message(npy(header("'|u1'", "False", axes(65, 4)), four)) ==
          start + "has more than 64 axes, which no array of NumPy has");
}

TEST_CASE("npy headers as other writers, Python 2 and NumPy 2 have them", "[npy]") {
    // numpy.load takes each of these for the same array.
    const TemporaryDirectory directory;
    const auto path = directory / "file.npy";
    const auto shape_of = [&](const std::string& dictionary) {
        INFO(dictionary);
        write_text(path, npy(dictionary, bytes({1, 2, 3, 4})));
        const nn::Tensor tensor = nn::read_npy(path);
        std::visit([](const auto& array) { CHECK(*reinterpret_cast<const std::uint8_t*>(array.data()) == 1); }, tensor);
        return std::visit([](const auto& array) { return array.shape(); }, tensor);
    };
    using autograd::Shape;
    CHECK(shape_of("{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 2L), }") == Shape{2, 2});
    CHECK(shape_of("{'descr': '|u1', 'fortran_order': False, 'shape': (4L,), }") == Shape{4});
    CHECK(shape_of(R"({"descr": "|u1", "fortran_order": False, "shape": (4,)})") == Shape{4});
    CHECK(shape_of("{'descr': '|u1', \"fortran_order\": False, 'shape': (4,)}\n\n") == Shape{4});
    CHECK(shape_of(" \n{'descr':\t'|u1',\n'fortran_order': False,\r\n'shape': (4,)}\t ") == Shape{4});
    for (const char* descr : {"u1", "<u1", ">u1", "=u1"}) {
        CHECK(shape_of(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (4,)}}", descr)) == Shape{4});
    }
    for (const char* descr : {"f4", "=f4", "|f4"}) {
        CHECK(shape_of(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (1,)}}", descr)) == Shape{1});
    }
    CHECK(shape_of("{'descr': '|u1', 'fortran_order': True, 'shape': (4,)}") == Shape{4});  // the same in either order
    const Shape deep = shape_of("{'descr': '|u1', 'fortran_order': False, 'shape': " + axes(64, 4) + "}");
    CHECK(deep.size() == 64);
    CHECK(deep[63] == 4);
}

TEST_CASE("the limit of an npy file is in bytes, and exact", "[npy]") {
    const TemporaryDirectory directory;
    nn::write_npy(directory / "file.npy", Array<double>{1, 2});
    CHECK(file_error([&] { nn::read_npy(directory / "file.npy", 16); }).empty());
    CHECK_FALSE(file_error([&] { nn::read_npy(directory / "file.npy", 15); }).empty());
}

TEST_CASE("a damaged npy file", "[npy]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file.npy";
    const auto read = [&] { nn::read_npy(path); };
    const std::string good = two_by_three();
    write_text(path, good);
    CHECK(read_truncated(path, read).accepted == 0);
    const Verdicts verdicts = read_corrupted(path, read);
    CHECK(verdicts.accepted ==
          9 * 6 + 2);  // any element may change; of the header, |u1 to <u1 and the last comma to a form feed
    CHECK(verdicts.refused == 9 * (good.size() - 6) - 2);
}
