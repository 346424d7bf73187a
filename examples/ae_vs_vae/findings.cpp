// One sentence or two for each finding, in the order of the story: whether anything was learned, reconstruction,
// sampling, why, and what helps; then what could not be estimated. What was not asked for is not mentioned.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pair.hpp"

namespace {

/// Times `unit`, to so many digits after the point, or to more if else the standard error would be rounded to 0.
std::string value(const Estimate& estimate, int digits, double unit = 1) {
    const std::string text = fmt::format("{:.{}f}", unit * estimate.value, digits);
    if (!estimate.standard_error) return text;
    const double error = unit * *estimate.standard_error;
    const double enough = std::clamp(std::ceil(-std::log10(2 * error)), static_cast<double>(digits), 9.0);
    const int places = static_cast<int>(enough);
    return fmt::format("{:.{}f} ± {:.{}f}", unit * estimate.value, places, error, places);
}

std::string nats(double loss) {
    return std::abs(loss) < 1e5 ? fmt::format("{:.2f}", loss) : fmt::format("{:.2g}", loss);
}

/// A Frechet distance, to as many digits as it deserves.
std::string frechet(const ScoredSet& set) { return value(set.scores.frechet, set.scores.frechet.value < 10 ? 2 : 1); }

std::string percent(const Estimate& estimate) { return value(estimate, 1, 100) + " %"; }

/// Whether a exceeds b by more than two standard errors of their difference, where these are known.
bool clearly_above(const Estimate& a, const Estimate& b) {
    return a.standard_error && b.standard_error &&
           a.value - b.value > 2 * std::hypot(*a.standard_error, *b.standard_error);
}

/// Whether neither clearly exceeds the other, although it could be seen.
bool hardly_differ(const Estimate& a, const Estimate& b) {
    return a.standard_error && b.standard_error && !clearly_above(a, b) && !clearly_above(b, a);
}

bool learned(const Evaluation& evaluation) {
    return evaluation.ae_outcome.verdict == Verdict::learned && evaluation.vae_outcome.verdict == Verdict::learned;
}

class Writer {
   public:
    explicit Writer(const Findings& findings) : findings_(findings) {}

    std::vector<std::string> write() {
        outcomes();
        if (learned(main())) {
            reconstruction();
            sampling();
            shapes();
            plane();
            mixtures();
            copies();
            encoders();
            dimensions();
            likelihood();
        } else {
            plane();
        }
        betas();
        left_out();
        return std::move(sentences_);
    }

   private:
    template <class... Arguments>
    void say(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
        sentences_.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
    }
    const Evaluation& main() const { return findings_.evaluations.front(); }
    const ScoredSet* find(const char* set, const char* model) const { return main().analysis.find(set, model); }

    void outcome(const std::string& model, const Outcome& found) {
        if (found.verdict == Verdict::diverged) {
            say("{}: training diverged. On training images its loss is {} nats per image, and was {} before training.",
                model, nats(found.loss_after), nats(found.loss_before));
        } else if (found.verdict == Verdict::learned_nothing) {
            say("{} learned nothing that test images show: it gives them back at {} nats per image, {} the mean "
                "training picture, the same for all, at {}.",
                model, nats(found.reconstruction),
                found.reconstruction > found.mean_picture ? "no better than" : "not clearly better than",
                nats(found.mean_picture));
        }
    }
    void outcomes() {
        for (std::size_t i = 0; i < findings_.evaluations.size(); ++i) {
            const Evaluation& each = findings_.evaluations[i];
            outcome(name_of("AE", i), each.ae_outcome);
            outcome(name_of("VAE", i), each.vae_outcome);
            if (learned(each)) continue;
            say("So nothing is said{} of how an AE and a VAE compare. Another --lr or --beta, more --epochs or more "
                "images may help.",
                i == 0 ? "" : " in the plane");
        }
    }
    std::string name_of(const char* model, std::size_t pair) const {
        if (pair == 0) return fmt::format("The {}", model);
        return fmt::format("The {} with codes of {} dimensions", model, findings_.pairs[pair].plan.network.latent);
    }
    void reconstruction() {
        const double ae = main().ae.reconstruction, vae = main().vae.reconstruction;
        const Estimate& gap = main().reconstruction_gap;
        const bool clear = std::abs(gap.value) > 2 * gap.standard_error.value_or(0);
        const std::string how = !clear ? "about as well as" : gap.value < 0 ? "better than" : "worse than";
        say("Reconstruction: the AE gives back test images {} the VAE, at {:.1f} against {:.1f} nats per image{}.{}",
            how, ae, vae,
            findings_.floor ? fmt::format(" ({:.1f} of these are the pixels' own entropy)", *findings_.floor) : "",
            clear && gap.value < 0 ? " That an autoencoder fails on new data is not what is seen." : "");
    }
    void sampling() {
        const ScoredSet *ae = find(from_prior, "AE"), *vae = find(from_prior, "VAE"), *real = find("real, held out", "");
        if (ae == nullptr || vae == nullptr || real == nullptr) return;
        const double factor = ae->scores.frechet.value / vae->scores.frechet.value;
        say("Sampling: images decoded from z ~ N(0, I) are at Frechet distance {} for the AE and {} for the VAE, {}; "
            "real images are at {}.",
            frechet(*ae), frechet(*vae),
            ae_samples_worse() && vae->scores.frechet.value > 0 ? fmt::format("a factor of {:.1f}", factor)
                                                                : std::string("which is not clearly worse for the AE"),
            frechet(*real));
        say("They are compared in {}.", findings_.feature_space);
        say("Precision, the share of images near a real one, is {:.2f} and {:.2f} (blurred averages are near many); coverage, the "
            "share of real images with one near, is {:.2f} and {:.2f}, for real images {:.2f}.",
            ae->scores.precision.value, vae->scores.precision.value, ae->scores.coverage.value, vae->scores.coverage.value,
            real->scores.coverage.value);
    }
    bool ae_samples_worse() const {
        const ScoredSet *ae = find(from_prior, "AE"), *vae = find(from_prior, "VAE");
        return ae != nullptr && vae != nullptr && clearly_above(ae->scores.frechet, vae->scores.frechet);
    }
    void shapes() {
        const auto range = [](const CodeStatistics& codes) {
            const auto [low, high] = std::minmax_element(codes.standard_deviation.begin(), codes.standard_deviation.end());
            return fmt::format("{:.1f} to {:.1f}", *low, *high);
        };
        const auto &ae = main().analysis.ae.gaussian_kl, &vae = main().analysis.vae.gaussian_kl;
        if (!ae || !vae) return;
        const bool explains = ae_samples_worse() && clearly_above(*ae, *vae);
        say("{} standard deviations of the AE's codes are {} where N(0, 1) has 1, and their Gaussian is {} nats from "
            "N(0, I). The VAE's: {}, and {} nats.",
            explains ? "The reason: nothing shapes an AE's codes. The" : "The", range(main().ae_codes), value(*ae, 1),
            range(main().vae_codes), value(*vae, 2));
    }
    void plane() {
        for (const Evaluation& each : findings_.evaluations) {
            const CodeShape &ae = each.analysis.ae, &vae = each.analysis.vae;
            if (!learned(each) || !ae.within_reach || !vae.within_reach) continue;
            say("In the plane: the circle that holds 99 % of N(0, I) holds {} of the AE's codes and {} of the VAE's.",
                percent(*ae.within_reach), percent(*vae.within_reach));
            if (!ae.hole_rate || !vae.hole_rate) continue;
            const bool as_many_holes =
                hardly_differ(*ae.hole_rate, *vae.hole_rate) || clearly_above(*vae.hole_rate, *ae.hole_rate);
            say("Of z ~ N(0, I) there, {} (AE) and {} (VAE) fall into holes, by each model's own spacing of codes, "
                "where of codes themselves it would be 1 %.{}",
                percent(*ae.hole_rate), percent(*vae.hole_rate),
                as_many_holes ? " So it is not holes that set the AE apart: its codes lie elsewhere." : "");
        }
    }
    void mixtures() {
        const ScoredSet *ae = find(from_mixture, "AE"), *vae = find(from_mixture, "VAE");
        const ScoredSet *ae_before = find(from_prior, "AE"), *vae_before = find(from_prior, "VAE");
        if (ae == nullptr || vae == nullptr || ae_before == nullptr || vae_before == nullptr) return;
        const bool helps = clearly_above(ae_before->scores.frechet, ae->scores.frechet) &&
                           clearly_above(vae_before->scores.frechet, ae->scores.frechet);
        const bool conditional = findings_.pairs.front().plan.network.classes > 0;
        const std::size_t ae_count = main().analysis.ae_mixture->components().size(),
                          vae_count = main().analysis.vae_mixture->components().size();
        say("With codes drawn from ten Gaussians that were fitted to the codes{} afterwards{}, Frechet distance is {} "
            "for the AE and {} for the VAE.{}",
            conditional ? " of all classes" : "",
            ae_count == 10 && vae_count == 10
                ? ""
                : fmt::format(" (of which there are {} for the AE and {} for the VAE: no more hold codes)", ae_count, vae_count),
            frechet(*ae), frechet(*vae),
            helps ? " So the AE's decoder is usable too: what it lacks is a density to draw from." : "");
    }
    void copies() {
        const ScoredSet *ae = find(from_mixture, "AE"), *vae = find(from_mixture, "VAE");
        if (ae == nullptr || vae == nullptr || !ae->memorisation || !vae->memorisation) return;
        const Estimate &first = ae->memorisation->ratio, &second = vae->memorisation->ratio;
        if (!first.standard_error || !second.standard_error) return;
        const auto far_enough = [](const Estimate& ratio) { return ratio.value - 2 * *ratio.standard_error > 0.8; };
        say("The distance of these to the nearest training image is {} (AE) and {} (VAE) of that of held-out images, by the median: "
            "{}.",
            value(first, 2), value(second, 2),
            far_enough(first) && far_enough(second) ? "most are no copies" : "some may be copies");
    }
    void encoders() {
        const auto& found = main().analysis.accuracies;
        if (!found) return;
        const Gradable& graded = found->graded;
        const std::size_t learned_from = std::size_t{graded.above_chance(found->ae)} +
                                         std::size_t{graded.above_chance(found->vae)} +
                                         std::size_t{graded.above_chance(found->pca)};
        const bool none = learned_from == 0;
        say("As encoders{}: a linear classifier is right about {} of test images from the AE's codes, {} from the "
            "VAE's means, {} from {} principal components{}.",
            !none && hardly_differ(found->ae, found->vae) ? " they hardly differ" : "",
            percent(found->ae), percent(found->vae), percent(found->pca),
            found->components == main().analysis.kl.size() ? "as many" : fmt::format("all {}", found->components),
            learned_from == 3 ? ""
                              : fmt::format(", and who always names the commonest class is right about {:.1f} %{}",
                                            100 * graded.chance, none ? ": it learned nothing from any of them" : ""));
    }
    void dimensions() {
        if (main().analysis.kl.empty()) return;
        say("The VAE's code holds {:.1f} nats of an image, its KL; {} of {} dimensions are active.", main().vae.kl,
            main().analysis.active_units, main().analysis.kl.size());
    }
    void likelihood() {
        const auto& found = main().analysis.log_likelihoods;
        if (found.empty()) return;
        std::string list;
        for (const LogLikelihood& each : found) {
            list += fmt::format("{}{} (K = {})", list.empty() ? "" : ", ", value(each.value, 2), each.samples);
        }
        say("log p(x) of the VAE is at least {} nats per image, over {} test images: importance sampling tightens the ELBO, which "
            "is K = 1.",
            list, found.front().images);
    }
    void betas() {
        const BetaRun* best = nullptr;
        for (const BetaRun& each : findings_.betas) {
            if (!each.of_pair) outcome(fmt::format("The VAE at beta = {:g}", each.beta), each.outcome);
            if (each.outcome.verdict != Verdict::learned) continue;
            if (best == nullptr || each.test.at_beta_one() < best->test.at_beta_one()) best = &each;
        }
        if (best == nullptr) return;
        say("Of the weights of the KL term that were tried, beta = {:g} has the largest ELBO, {:.1f} nats.", best->beta,
            -best->test.at_beta_one());
    }
    /// A sentence for each reason.
    void left_out() {
        std::vector<std::pair<std::string, std::string>> list;  // reasons, and what each stands in the way of
        for (const Evaluation& each : findings_.evaluations) {
            for (const LeftOut& item : each.analysis.left_out) {
                const std::string what = item.what + (&each == &main() ? "" : " in the plane");
                const auto same =
                    std::find_if(list.begin(), list.end(), [&](const auto& known) { return known.first == item.why; });
                if (same == list.end()) {
                    list.emplace_back(item.why, what);
                } else {
                    same->second += ", " + what;
                }
            }
        }
        for (const auto& [why, what] : list) say("Left out: {}. The reason: {}.", what, why);
    }

    const Findings& findings_;
    std::vector<std::string> sentences_;
};

}  // namespace

std::vector<std::string> diverged_trainings(const Findings& findings) {
    std::vector<std::string> names;
    const auto add = [&](const Outcome& outcome, std::string name) {
        if (outcome.verdict == Verdict::diverged) names.push_back(std::move(name));
    };
    for (std::size_t i = 0; i < findings.evaluations.size(); ++i) {
        const std::string title = findings.pairs[i].plan.title;
        add(findings.evaluations[i].ae_outcome, "AE" + title);
        add(findings.evaluations[i].vae_outcome, "VAE" + title);
    }
    for (const BetaRun& run : findings.betas) add(run.outcome, fmt::format("beta-{}", run.beta));
    return names;
}

std::vector<std::string> in_words(const Findings& findings) { return Writer(findings).write(); }
