// One sentence or two for each finding, in the order of the story: reconstruction, sampling, why, and what helps. What was
// not measured is not mentioned.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pair.hpp"

namespace {

std::string value(const Estimate& estimate, int digits) {
    return fmt::format("{:.{}f} ± {:.{}f}", estimate.value, digits, estimate.standard_error, digits);
}

/// A Frechet distance, to as many digits as it deserves.
std::string frechet(const ScoredSet& set) { return value(set.scores.frechet, set.scores.frechet.value < 10 ? 2 : 1); }

std::string percent(const Estimate& estimate) {
    return fmt::format("{:.1f} ± {:.1f} %", 100 * estimate.value, 100 * estimate.standard_error);
}

/// Whether a exceeds b by more than two standard errors of their difference.
bool clearly_above(const Estimate& a, const Estimate& b) {
    return a.value - b.value > 2 * std::hypot(a.standard_error, b.standard_error);
}

class Writer {
   public:
    explicit Writer(const Findings& findings) : findings_(findings) {}

    std::vector<std::string> write() {
        reconstruction();
        sampling();
        shapes();
        plane();
        mixtures();
        copies();
        encoders();
        dimensions();
        likelihood();
        betas();
        return std::move(sentences_);
    }

   private:
    template <class... Arguments>
    void say(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
        sentences_.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
    }
    const Evaluation& main() const { return findings_.evaluations.front(); }
    const ScoredSet* find(const char* set, const char* model) const { return main().analysis.find(set, model); }

    void reconstruction() {
        const double ae = main().ae.reconstruction, vae = main().vae.reconstruction;
        say("Reconstruction: the AE gives back test images {} than the VAE, at {:.1f} against {:.1f} nats per image{}.{}",
            ae < vae ? "better" : "worse", ae, vae,
            findings_.floor ? fmt::format(" ({:.1f} of these are the pixels' own entropy)", *findings_.floor) : "",
            ae < vae ? " That an autoencoder fails on new data is not what is seen." : "");
    }
    void sampling() {
        const ScoredSet *ae = find(from_prior, "AE"), *vae = find(from_prior, "VAE"), *real = find("real, held out", "");
        const std::string& problem = main().analysis.unscored;
        if (!problem.empty()) say("Sampling: images could not be scored: {}.", problem);
        if (ae == nullptr || vae == nullptr || real == nullptr) return;
        const double factor = ae->scores.frechet.value / vae->scores.frechet.value;
        say("Sampling: images decoded from z ~ N(0, I) are at Frechet distance {} for the AE and {} for the VAE, {}; real images "
            "are at {}.",
            frechet(*ae), frechet(*vae),
            ae_samples_worse() ? fmt::format("a factor of {:.1f}", factor) : std::string("which is no worse for the AE here"),
            frechet(*real));
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
        const Estimate &ae = main().analysis.ae.aggregate.gaussian_kl, &vae = main().analysis.vae.aggregate.gaussian_kl;
        if (!std::isfinite(ae.value) || !std::isfinite(vae.value)) return;  // codes that do not fill all dimensions
        const bool explains = ae_samples_worse() && clearly_above(ae, vae);
        say("{} standard deviations of the AE's codes are {} where N(0, 1) has 1, and their Gaussian is {} nats from N(0, I). The "
            "VAE's: {}, and {} nats.",
            explains ? "The reason: nothing shapes an AE's codes. The" : "The", range(main().ae_codes), value(ae, 1),
            range(main().vae_codes), value(vae, 2));
    }
    void plane() {
        for (const Evaluation& each : findings_.evaluations) {
            const CodeShape &ae = each.analysis.ae, &vae = each.analysis.vae;
            if (!ae.within_reach || !vae.within_reach) continue;
            say("In the plane: the circle that holds 99 % of N(0, I) holds {} of the AE's codes and {} of the VAE's.",
                percent(*ae.within_reach), percent(*vae.within_reach));
            if (!ae.hole_rate || !vae.hole_rate) continue;
            const bool more_holes = clearly_above(*ae.hole_rate, *vae.hole_rate);
            say("Of z ~ N(0, I) there, {} (AE) and {} (VAE) fall into holes, by each model's own spacing of codes, where of codes "
                "themselves it would be 1 %.{}",
                percent(*ae.hole_rate), percent(*vae.hole_rate),
                more_holes ? "" : " So it is not holes that set the AE apart: its codes lie elsewhere.");
        }
    }
    void mixtures() {
        const ScoredSet *ae = find(from_mixture, "AE"), *vae = find(from_mixture, "VAE");
        const ScoredSet *ae_before = find(from_prior, "AE"), *vae_before = find(from_prior, "VAE");
        if (ae == nullptr || vae == nullptr || ae_before == nullptr || vae_before == nullptr) return;
        const bool helps = clearly_above(ae_before->scores.frechet, ae->scores.frechet) &&
                           ae->scores.frechet.value < vae_before->scores.frechet.value;
        const bool conditional = findings_.pairs.front().plan.network.classes > 0;
        say("With codes drawn from ten Gaussians that were fitted to the codes{} afterwards, Frechet distance is {} for the AE and {} "
            "for the VAE.{}",
            conditional ? " of all classes" : "", frechet(*ae), frechet(*vae),
            helps ? " So the AE's decoder is usable too: what it lacks is a density to draw from." : "");
    }
    void copies() {
        const ScoredSet *ae = find(from_mixture, "AE"), *vae = find(from_mixture, "VAE");
        if (ae == nullptr || vae == nullptr || !ae->memorisation || !vae->memorisation) return;
        const auto far_enough = [](const Estimate& ratio) { return ratio.value - 2 * ratio.standard_error > 0.8; };
        const Estimate &first = ae->memorisation->ratio, &second = vae->memorisation->ratio;
        say("The distance of these to the nearest training image is {} (AE) and {} (VAE) of that of held-out images, by the median: "
            "{}.",
            value(first, 2), value(second, 2),
            far_enough(first) && far_enough(second) ? "most are no copies" : "some may be copies");
    }
    void encoders() {
        const auto& found = main().analysis.accuracies;
        if (!found) return;
        const bool differ = clearly_above(found->ae, found->vae) || clearly_above(found->vae, found->ae);
        say("As encoders{}: a linear classifier is right about {} of test images from the AE's codes, {} from the VAE's means, {} "
            "from as many principal components.",
            differ ? "" : " they hardly differ", percent(found->ae), percent(found->vae), percent(found->pca));
    }
    void dimensions() {
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
        if (findings_.betas.empty()) return;
        const auto best = std::min_element(findings_.betas.begin(), findings_.betas.end(), [](const auto& a, const auto& b) {
            return a.test.at_beta_one() < b.test.at_beta_one();
        });
        say("Of the weights of the KL term that were tried, beta = {:g} has the largest ELBO, {:.1f} nats.", best->beta,
            -best->test.at_beta_one());
    }

    const Findings& findings_;
    std::vector<std::string> sentences_;
};

}  // namespace

std::vector<std::string> in_words(const Findings& findings) { return Writer(findings).write(); }
