package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * EVA: LoRA whose matrices A start as the principal components of what the layers see, and whose
 * ranks go where they explain most, of <a href="https://arxiv.org/abs/2410.07170">One
 * Initialization to Rule them All: Fine-tuning via Explained Variance Adaptation</a>.
 *
 * <p>Before training the model runs on its first batches. An {@linkplain IncrementalPca incremental
 * PCA} of the inputs of each layer finds {@code rank · rho} components. The shares of variance that
 * they explain, of each layer's own variance, are pooled over all matrices, and the largest win the
 * ranks, as many as LoRA of this rank would have. A matrix that wins none gets no adapter. This
 * ends when each component within a layer's rank has turned by less than a cosine of {@code tau} in
 * the last batch. All updates have the scale {@code alpha / rank}, whatever their own rank, and B
 * starts at zero.
 *
 * <p>Padding and tokens without a target do not count, as in the authors' code. The first batch of
 * a layer must have as many tokens as components are wanted.
 *
 * @param settings the settings that all adapters share
 * @param rho components that are looked for, as a multiple of the rank; 1 keeps all ranks equal
 * @param tau cosine similarity of a component before and after a batch from which it has converged
 * @param whiten whether the components are divided by the roots of their singular values
 * @param batches the most batches to run
 */
@AutoService(Adapter.class)
public record Eva(
    @Flat AdapterSettings settings, double rho, double tau, boolean whiten, int batches)
    implements Adapter {
  /** Defaults of the authors. */
  public Eva() {
    this(new AdapterSettings());
  }

  /** The authors' defaults for rho, tau and whiten. */
  public Eva(AdapterSettings settings) {
    this(settings, 2, 0.99, false, 100);
  }

  /** Checks the values. */
  public Eva {
    Checks.check(rho >= 1 && Double.isFinite(rho), "rho", rho, "a finite number of at least 1");
    Checks.check(tau > 0 && tau < 1, "tau", tau, "a cosine in (0, 1)");
    Checks.atLeast("batches", batches, 1);
  }

  @Override
  public String type() {
    return "eva";
  }

  @Override
  public boolean needsData() {
    return true;
  }

  /** The same for all ranks, because alpha follows a matrix's rank. */
  @Override
  public double scale(int rank) {
    return settings.effectiveAlpha() / settings.rank();
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    Map<AdapterTarget, LowRankFactors> starts = new LinkedHashMap<>();
    try (EvaSearch search = new EvaSearch(this, targets)) {
      search.run(data);
      search.starts().forEach((target, a) -> starts.put(target, start(target, a)));
    }
    return starts;
  }

  private LowRankFactors start(AdapterTarget target, Tensor a) {
    return new LowRankFactors(
        a, Tensor.zeros(target.rows(), a.size(0)), scale(Math.toIntExact(a.size(0))));
  }
}
