// One sentence or two for each finding, in the order of the story: whether anything was learned, reconstruction,
// sampling, why, and what helps; then what could not be estimated. What was not asked for is not mentioned.
#include "findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

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

std::string nats(double loss) { return std::abs(loss) < 1e5 ? fmt::format("{:.2f}", loss) : fmt::format("{:.2g}", loss); }

Estimate frechet(const ScoredSet& set) { return set.scores.find("frechet").value(); }

/// A Frechet distance, to as many digits as it deserves.
std::string frechet_text(const ScoredSet& set) { return value(frechet(set), frechet(set).value < 10 ? 2 : 1); }

std::string percent(const Estimate& estimate) { return value(estimate, 1, 100) + " %"; }

/// Whether a exceeds b by more than two standard errors of their difference, where these are known.
bool clearly_above(const Estimate& a, const Estimate& b) {
    return a.standard_error && b.standard_error && a.value - b.value > 2 * std::hypot(*a.standard_error, *b.standard_error);
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
    /// The AE's images of this origin and the VAE's; null if there are none.
    std::pair<const ScoredSet*, const ScoredSet*> find(const std::string& set) const {
        std::pair<const ScoredSet*, const ScoredSet*> found{};
        for (const ScoredSet& each : main().analysis.sets) {
            if (each.set == set) (each.model == "AE" ? found.first : found.second) = &each;
        }
        return found;
    }

    void outcome(const std::string& model, const Outcome& found) {
        if (found.verdict == Verdict::diverged) {
            say("{}: training diverged. On training images its loss is {} nats per image, and was {} before training.", model,
                nats(found.loss_after), nats(found.loss_before));
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
        say("Reconstruction: the AE gives back test images {} the VAE, at {:.1f} against {:.1f} nats per image{}.{}", how, ae,
            vae, findings_.floor ? fmt::format(" ({:.1f} of these are the pixels' own entropy)", *findings_.floor) : "",
            clear && gap.value < 0 ? " That an autoencoder fails on new data is not what is seen." : "");
    }
    void sampling() {
        if (main().analysis.sets.empty()) return;
        const auto [ae, vae] = find(from_prior);
        const ScoredSet* real = &main().analysis.sets.front();
        say("Sampling: images decoded from z ~ N(0, I) are at Frechet distance {} for the AE and {} for the VAE, {}; "
            "real images are at {}.",
            frechet_text(*ae), frechet_text(*vae),
            ae_samples_worse() && frechet(*vae).value > 0
                ? fmt::format("a factor of {:.1f}", frechet(*ae).value / frechet(*vae).value)
                : "which is not clearly worse for the AE",
            frechet_text(*real));
        say("They are compared in {}, so that these Frechet distances are not FIDs, which are in those of Inception.",
            findings_.feature_space);
        std::string clauses;
        for (const Measure& each : image_measures()) {
            const auto a = ae->scores.find(each.key), b = vae->scores.find(each.key), c = real->scores.find(each.key);
            if (each.clause == nullptr || !a || !b || !c) continue;
            clauses += clauses.empty() ? "" : "; ";
            clauses += fmt::format(fmt::runtime(each.clause), a->value, b->value, c->value);
        }
        if (clauses.empty()) return;
        clauses.front() = static_cast<char>(std::toupper(clauses.front()));
        say("{}.", clauses);
    }
    bool ae_samples_worse() const {
        const auto [ae, vae] = find(from_prior);
        return ae != nullptr && clearly_above(frechet(*ae), frechet(*vae));
    }
    void shapes() {
        const auto range = [](const CodeStatistics& codes) {
            const auto [low, high] = std::minmax_element(codes.standard_deviation.begin(), codes.standard_deviation.end());
            return fmt::format("{:.1f} to {:.1f}", *low, *high);
        };
        const Analysis& analysis = main().analysis;
        const auto ae = analysis.ae.measures.find("gaussian_kl"), vae = analysis.vae.measures.find("gaussian_kl");
        if (!ae || !vae) return;
        const bool explains = ae_samples_worse() && clearly_above(*ae, *vae);
        say("{} standard deviations of the AE's codes are {} where N(0, 1) has 1, and their Gaussian is {} nats from "
            "N(0, I). The VAE's: {}, and {} nats.",
            explains ? "The reason: nothing shapes an AE's codes. The" : "The", range(main().ae_codes), value(*ae, 1),
            range(main().vae_codes), value(*vae, 2));
    }
    void plane() {
        for (const Evaluation& each : findings_.evaluations) {
            const Estimates &ae = each.analysis.ae.measures, &vae = each.analysis.vae.measures;
            const auto ae_within = ae.find("within_reach"), vae_within = vae.find("within_reach");
            if (!learned(each) || !ae_within || !vae_within) continue;
            say("In the plane: the circle that holds 99 % of N(0, I) holds {} of the AE's codes and {} of the VAE's.",
                percent(*ae_within), percent(*vae_within));
            const auto ae_holes = ae.find("hole_rate"), vae_holes = vae.find("hole_rate");
            if (!ae_holes || !vae_holes) continue;
            const bool as_many_holes = hardly_differ(*ae_holes, *vae_holes) || clearly_above(*vae_holes, *ae_holes);
            say("Of z ~ N(0, I) there, {} (AE) and {} (VAE) fall into holes, by each model's own spacing of codes, "
                "where of codes themselves it would be 1 %.{}",
                percent(*ae_holes), percent(*vae_holes),
                as_many_holes ? " So it is not holes that set the AE apart: its codes lie elsewhere." : "");
        }
    }
    void mixtures() {
        const auto [ae, vae] = find(from_mixture);
        if (ae == nullptr) return;
        const auto [ae_before, vae_before] = find(from_prior);
        const Estimate distance = frechet(*ae);
        const bool helps = clearly_above(frechet(*ae_before), distance) && clearly_above(frechet(*vae_before), distance);
        const bool conditional = findings_.pairs.front().plan.network.classes > 0;
        const std::size_t ae_count = main().analysis.ae_mixture->fewest_components(),
                          vae_count = main().analysis.vae_mixture->fewest_components();
        say("With codes drawn from ten Gaussians that were fitted to the codes{} afterwards{}, Frechet distance is {} "
            "for the AE and {} for the VAE.{}",
            conditional ? " of each class" : "",
            ae_count == 10 && vae_count == 10
                ? ""
                : fmt::format(" ({}of which there are {} for the AE and {} for the VAE: no more hold codes)",
                              conditional ? "in the class that has the fewest, " : "", ae_count, vae_count),
            frechet_text(*ae), frechet_text(*vae),
            helps ? " So the AE's decoder is usable too: what it lacks is a density to draw from." : "");
    }
    void copies() {
        const auto [ae, vae] = find(from_mixture);
        if (ae == nullptr) return;
        constexpr const char* key = "nearest_training_image";
        const auto first = ae->scores.find(key), second = vae->scores.find(key);
        if (!first || !second || !first->standard_error || !second->standard_error) return;
        const auto far_enough = [](const Estimate& ratio) { return ratio.value - 2 * *ratio.standard_error > 0.8; };
        say("The distance of these to the nearest training image is {} (AE) and {} (VAE) of that of held-out images, by the median: "
            "{}.",
            value(*first, 2), value(*second, 2),
            far_enough(*first) && far_enough(*second) ? "most are no copies" : "some may be copies");
    }
    void encoders() {
        const auto& found = main().analysis.accuracies;
        if (!found) return;
        const auto& [ae, vae, pca, components, graded] = *found;
        const int learned = graded.above_chance(ae) + graded.above_chance(vae) + graded.above_chance(pca);
        say("As encoders{}: a linear classifier is right about {} of test images from the AE's codes, {} from the "
            "VAE's means, {} from {} principal components{}.",
            learned > 0 && hardly_differ(ae, vae) ? " they hardly differ" : "", percent(ae), percent(vae), percent(pca),
            components == main().analysis.kl.size() ? "as many" : fmt::format("all {}", components),
            learned == 3 ? ""
                         : fmt::format(", and who always names the commonest class is right about {:.1f} %{}",
                                       100 * graded.chance, learned == 0 ? ": it learned nothing from any of them" : ""));
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
    for (std::size_t i = 0; i < findings.evaluations.size(); ++i) {
        const std::string& title = findings.pairs[i].plan.title;
        if (findings.evaluations[i].ae_outcome.verdict == Verdict::diverged) names.push_back("AE" + title);
        if (findings.evaluations[i].vae_outcome.verdict == Verdict::diverged) names.push_back("VAE" + title);
    }
    for (const BetaRun& run : findings.betas) {
        if (run.outcome.verdict == Verdict::diverged) names.push_back(fmt::format("beta-{}", run.beta));
    }
    return names;
}

std::vector<std::string> in_words(const Findings& findings) { return Writer(findings).write(); }
