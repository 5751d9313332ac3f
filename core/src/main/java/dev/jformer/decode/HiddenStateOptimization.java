package dev.jformer.decode;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Checks;
import dev.jformer.config.Configs;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.cache.OptimizedCache;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Hidden-state optimization: a language model adapts to a text while it reads it, by gradient steps
 * on its cache instead of its weights, as in <a
 * href="https://arxiv.org/abs/2112.08653">Reconsidering the Past: Optimizing Hidden States in
 * Language Models</a>, a part of <a href="https://arxiv.org/abs/2408.16241">Making the Most of your
 * Model: Methods for Finetuning and Applying Pretrained Transformers</a>.
 *
 * <p>A sequence is read in blocks. When the tokens of a block have been scored, the keys and values
 * of all tokens before the block take a step of Adam that would have made the block more probable;
 * the next block is scored with what they have become. So no token is scored with anything that was
 * computed from it. Each key and value has running means of its own, which begin when its token is
 * read. The keys and values of the block itself are left as they were computed, and take part from
 * the next block on. No weight changes, and sequences of a batch do not affect each other.
 */
public final class HiddenStateOptimization implements AutoCloseable {
  /**
   * Settings of the optimization.
   *
   * @param block number of tokens that are scored between two steps
   * @param rate of learning: about how far a step moves each number in the cache; 0 leaves the
   *     model's own predictions
   * @param decay of the running mean of gradients
   * @param squareDecay of the running mean of squared gradients
   */
  public record Settings(int block, double rate, double decay, double squareDecay) {
    /** Steps after 32 tokens, with a rate of 0.003. */
    public Settings() {
      this(32, 0.003, 0.9, 0.999);
    }

    /** Checks the values. */
    public Settings {
      Checks.atLeast("block", block, 1);
      Checks.atLeast("rate", rate, 0);
      Checks.check(decay >= 0 && decay < 1, "decay", decay, "a number from 0 to below 1");
      Checks.check(
          squareDecay >= 0 && squareDecay < 1, "squareDecay", squareDecay, "from 0 to below 1");
    }

    /** These settings with another rate. */
    public Settings withRate(double other) {
      return new Settings(block, other, decay, squareDecay);
    }
  }

  private final CausalLm model;
  private final Settings settings;

  /**
   * Creates the optimization for a model, whose weights it copies.
   *
   * @param model whose mixers are softmax attention
   * @throws IllegalArgumentException if they are not
   */
  public HiddenStateOptimization(CausalLm model, Settings settings) {
    this.settings = settings;
    CausalLm.Config config =
        Configs.replace(
            model.config(), TokenMixer.Config.class, HiddenStateOptimization::optimized);
    try (Mode normal = Autograd.noInference()) {
      this.model = (CausalLm) ModelRebuilder.rebuilt(model, config);
    }
    this.model.parameters().values().forEach(parameter -> parameter.freeze(true));
  }

  private static TokenMixer.Config optimized(TokenMixer.Config mixer) {
    if (!(mixer instanceof SoftmaxAttention.Config attention)) {
      throw new IllegalArgumentException(
          "hidden states are optimized in caches of softmax attention: the mixer is '"
              + mixer.type()
              + "'");
    }
    return attention.withCache(new OptimizedCache.Config());
  }

  /**
   * Computes the cross-entropy of each target while the cache adapts to the targets before its
   * block.
   *
   * @param ids int64 [B, T]
   * @param targets int64 [B, T], usually the next ids; those below 0 do not count
   * @return nats, [B, T], float32; 0 where the target does not count
   */
  public Tensor losses(Tensor ids, Tensor targets) {
    return losses(ids, targets, targets);
  }

  /**
   * Computes the cross-entropy of each target while the cache adapts to other targets, as a control
   * for the effect of adapting at all.
   *
   * @param ids int64 [B, T]
   * @param targets int64 [B, T] that are scored
   * @param learned int64 [B, T] that the steps make more probable
   * @return as {@link #losses(Tensor, Tensor)} of {@code targets}
   */
  public Tensor losses(Tensor ids, Tensor targets, Tensor learned) {
    long length = ids.size(1);
    List<Tensor> parts = new ArrayList<>();
    try (CausalLm.Decoding decoding = model.decode(ids.size(0), length)) {
      for (long from = 0; from < length; from += settings.block) {
        long count = Math.min(settings.block, length - from);
        Tensor block = ids.narrow(1, from, count);
        Tensor scored = targets.narrow(1, from, count);
        Tensor wanted = learned.narrow(1, from, count);
        boolean more = from + count < length;
        parts.add(Scope.tidy(() -> block(decoding, block, scored, wanted, more)));
      }
    }
    return Tensor.cat(1, parts.toArray(Tensor[]::new));
  }

  /** Scores a block, and moves the cache before it if more tokens follow. */
  private Tensor block(
      CausalLm.Decoding decoding, Tensor ids, Tensor targets, Tensor learned, boolean more) {
    boolean moves = more && decoding.length() > 0 && settings.rate > 0;
    try (Mode normal = Autograd.noInference();
        Mode mode = moves ? Autograd.enableGrad() : Autograd.noGrad()) {
      // Copies: tensors made in inference mode have no part in gradients.
      Tensor logits = decoding.all(ids.copy()).flatten(0, 1).to(DType.FLOAT32);
      if (moves) {
        move(caches(decoding), each(logits, learned).sum());
      }
      return each(logits.detach(), targets).view(targets.size(0), targets.size(1));
    }
  }

  private static Tensor each(Tensor logits, Tensor targets) {
    Tensor counted = targets.flatten(0, 1).maximum(Tensor.full(-1, DType.INT64, 1));
    return Functional.crossEntropyEach(logits, counted, -1);
  }

  private void move(List<OptimizedCache> caches, Tensor loss) {
    Tensor[] past = caches.stream().flatMap(cache -> cache.past().stream()).toArray(Tensor[]::new);
    List<Tensor> gradients = Autograd.grad(loss, null, false, past);
    for (int i = 0; i < caches.size(); i++) {
      caches
          .get(i)
          .step(
              gradients.subList(2 * i, 2 * i + 2),
              settings.rate,
              settings.decay,
              settings.squareDecay);
    }
  }

  private static List<OptimizedCache> caches(CausalLm.Decoding decoding) {
    return decoding.states().stream().map(state -> (OptimizedCache) state).toList();
  }

  /**
   * Mean cross-entropy on the held-out part of a token file, in nats per token.
   *
   * @param batch number of windows that are read side by side
   * @param window tokens after which a new cache begins
   * @param limit the most batches to evaluate
   */
  public double evaluate(TokenFile tokens, int batch, int window, long limit) {
    double[] sum = new double[2];
    HeldOut.read(
        tokens,
        batch,
        window,
        limit,
        part -> {
          try (Scope scope = Scope.open()) {
            sum[0] += losses(part.inputs(), part.targets()).to(DType.FLOAT64).sum().item();
            sum[1] += part.targets().ge(0).to(DType.FLOAT64).sum().item();
          }
        });
    return sum[0] / sum[1];
  }

  /** Releases the copy of the weights. */
  @Override
  public void close() {
    model.close();
  }
}
