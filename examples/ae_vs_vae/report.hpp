// Everything that report.html shows, as plain data, and the function that writes it: the one place where it becomes
// JSON. The report computes and chooses nothing: that is up to page.cpp; how it looks and behaves is up to report/.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "findings.hpp"
#include "layers.hpp"

namespace report {

// --- Losses and scores -----------------------------------------------------------------------------------------------

/// The training of one pair. The autoencoder's KL is not drawn.
struct LossCurves {
    std::string title;
    std::vector<EpochRecord> ae, vae;  ///< one for each epoch, from the first
    std::optional<double> floor;       ///< the pixels' own entropy, which no reconstruction goes below
};

struct ScoreRow {
    std::string set;                              ///< what was scored: "z ~ N(0, I)"
    std::string model;                            ///< "AE" and "VAE" have their colours
    std::vector<std::optional<Estimate>> scores;  ///< one for each column; nothing where there is none
    bool floor = false;                           ///< real images against real images: what a perfect model would get
};

struct ScoreTable {
    std::string title, caption;
    std::vector<Measure> columns;
    std::vector<ScoreRow> rows;
};

// --- Explorers -------------------------------------------------------------------------------------------------------

/// From pixels to a code. Both heads begin at the features.
struct Encoder {
    Network features;
    Linear mean;                         ///< the autoencoder's code
    std::optional<Linear> log_variance;  ///< of q(z|x), the VAE's; the page bounds it as models.hpp does
    bool half_floats = true;             ///< whether these do for its weights
};

/// How badly a place in the plane is covered by codes: any scale, larger is emptier. values(i, j) belongs to the centre
/// of a cell: z_1 grows with j and z_2 with i, both from -extent to extent.
struct HoleMap {
    double extent;
    Array<float> values;  ///< (side, side)
};

/// Codes that were drawn in another way than from N(0, I): from a mixture fitted to the codes, say.
struct Draws {
    std::string name;           ///< "a mixture fitted to the codes"
    Array<float> ae, vae;       ///< (count, latent)
    std::vector<int> labels{};  ///< the class that each is for, where decoders expect one and it matters; else empty
};

/// A pair of models to play with: in the plane if their codes have two dimensions, else by sliders.
struct Explorer {
    std::size_t latent;
    std::size_t labels = 0;  ///< the length of the one-hot label that the networks expect; 0 if they expect none
    Network ae, vae;         ///< the decoders: from a code to the pixels
    /// Of the pair that one can draw for, both; else none.
    std::optional<Encoder> ae_encoder, vae_encoder;
    // Of the first test images, the same ones for all three; (count, latent).
    Array<float> ae_code, vae_mean, vae_log_variance;
    /// KL(q(z_i|x) || N(0, 1)) per dimension, in nats, averaged over test images; may be empty.
    std::vector<double> kl;
    std::optional<HoleMap> ae_holes, vae_holes;  ///< of a plane
    std::string holes_meaning;                   ///< "the distance to the nearest code."; the page says which shade is emptier
    std::vector<Draws> draws;
    /// From the first step to the last: frames in the order of their steps, none where the pair was not filmed. Codes, where
    /// there are any, are of the first test images.
    std::vector<Frame> ae_film, vae_film;
    std::string film_note;  ///< what else there is to be said of it
};

/// The images behind the codes of all explorers.
struct TestImages {
    std::size_t rows = 0, columns = 0;
    std::vector<std::string> class_names;
    std::vector<int> labels;  ///< of the images that have codes
    /// (count, rows * columns) of the first ones, as many as shall be seen; 0 black, 1 white.
    Array<float> pixels = autograd::empty<float>({0, 0});
};

// --- The tape of one step --------------------------------------------------------------------------------------------

/// An array as it is shown: of weights, the shape and the norm only.
struct ShownArray {
    autograd::Shape shape;
    double norm;                           ///< Euclidean
    std::optional<Array<float>> values{};  ///< of that shape
};

/// The gradient of one of the losses in a node.
struct NodeGradient {
    std::optional<ShownArray> array;  ///< of the value's shape; nothing where there is none
    std::string why_none;             ///< then, in the library's own words
};

struct TapeNode {
    autograd::NodeKind kind;
    std::string name;                         ///< "mu"; empty for a node that has no name of its own
    std::string op, expression, module;       ///< as autograd::GraphNode has them
    std::vector<autograd::GraphEdge> inputs;  ///< nodes before it
    bool needs_gradient;
    ShownArray value;
    std::optional<Array<float>> picture;  ///< of what is no picture itself: of logits, the pixels' means; (1, rows * columns)
    std::vector<NodeGradient> gradients;  ///< one for each loss
};

/// A tape, with z drawn in one way.
struct Recording {
    std::string way;   ///< how: "z = mu + sigma * noise"
    std::string code;  ///< in the program
    std::vector<TapeNode> nodes;
    std::vector<std::size_t> losses;  ///< the nodes whose gradients are there
};

/// One training step of a VAE on one picture, recorded in several ways.
struct Computation {
    std::size_t image;                ///< of the test images
    std::vector<std::string> losses;  ///< names
    std::vector<Recording> recordings;
};

// --- The report ------------------------------------------------------------------------------------------------------

/// What is empty has no section in the page.
struct Report {
    std::string title;
    std::vector<std::pair<std::string, std::string>> settings;  ///< names and values
    std::vector<std::string> findings;                          ///< sentences
    TestImages test;
    std::vector<Explorer> explorers;
    std::optional<Computation> computation;
    std::vector<LossCurves> curves;
    std::vector<Picture> galleries;
    std::vector<ScoreTable> scores;
    std::vector<BetaRun> beta;
};

/// The page: one file that needs no other and no network. Strings are text, whatever they hold; bytes that are not
/// UTF-8 appear as replacement characters.
/// @throws autograd::ShapeError if shapes or counts do not fit together, autograd::Error if a number is not finite or a
/// label has no name.
std::string to_html(const Report& report);

/// Writes the page, or leaves what was there.
/// @throws as to_html does, and nn::FileError if the file cannot be written.
void write_report(const std::filesystem::path& path, const Report& report);

}  // namespace report
