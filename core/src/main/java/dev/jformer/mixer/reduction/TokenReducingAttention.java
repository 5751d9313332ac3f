package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.config.FormerNames;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Sinusoidal;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Softmax attention with token reduction, as in <a
 * href="https://arxiv.org/abs/2305.17328">Zero-TPrune: Zero-Shot Token Pruning through Leveraging
 * of the Attention Graph in Pre-Trained Transformers</a>. After it, in some blocks, part of the
 * tokens leave, so that the rest of the model is computed for fewer; a {@link TokenReducer} says
 * which. It has the weights of softmax attention, so it can take its place, and be changed or taken
 * away again, without training.
 *
 * <p>Tokens leave between the two halves of a block. Each sequence keeps the same share of its own
 * tokens, so padding does not count; the remaining tokens keep their order. It needs a position
 * encoding that is only added to the embeddings. In models other than {@code vit} and {@code
 * encoder}, which do not support it, it is plain softmax attention.
 */
public final class TokenReducingAttention extends Attention implements TokenReducingMixer {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param at indices of the blocks in which tokens leave, from 0
   * @param share share of the tokens that stays in each of them
   * @param first whether the first token is a class token, which always stays
   * @param rule the rule by which tokens leave
   */
  @AutoService(TokenMixer.Config.class)
  @FormerNames("thinning")
  public record Config(
      int heads,
      int keyValueHeads,
      List<Integer> at,
      double share,
      boolean first,
      TokenReducer rule)
      implements TokenMixer.Config {
    /** Defaults: three of ten tokens leave in the second block. */
    public Config() {
      this(4, 0, List.of(1), 0.7, true, new ZeroTprune());
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (rule == null) {
        throw new IllegalArgumentException("rule is null: expected a rule such as 'zero-tprune'");
      }
      if (!(share > 0 && share <= 1) || share < rule.least()) {
        throw new IllegalArgumentException(
            "share is "
                + share
                + ": expected the share of tokens that stays, at most 1 and "
                + (rule.least() > 0
                    ? "at least " + rule.least() + " with the rule " + rule.type()
                    : "more than 0"));
      }
      if (at.stream().anyMatch(layer -> layer < 0)) {
        throw new IllegalArgumentException("at is " + at + ": expected numbers of blocks, from 0");
      }
    }

    @Override
    public String type() {
      return "token-reduction";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      if (context.causal()) {
        throw new IllegalArgumentException(
            "token-reduction drops tokens that later ones may need: it cannot be used in a causal"
                + " model");
      }
      if (!(position instanceof LearnedPosition
          || position instanceof Sinusoidal
          || position instanceof NoPosition)) {
        throw new IllegalArgumentException(
            "token-reduction cannot be used with the position encoding "
                + position.getClass().getSimpleName()
                + ", which needs the positions in every block: expected learned, sinusoidal or"
                + " none");
      }
      if (at.stream().anyMatch(layer -> layer >= context.layers())) {
        throw new IllegalArgumentException(
            "at is " + at + ": the model has " + context.layers() + " blocks, from 0");
      }
      return new TokenReducingAttention(this, context, position);
    }
  }

  private final Config config;
  private final BlockContext context;

  TokenReducingAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    this.config = config;
    this.context = context;
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    return SoftmaxAttention.fused(h, mask);
  }

  @Override
  public ReducedTokens reduce(Tensor x, TokenBatch tokens) {
    Heads heads = project(x, tokens.paddingMask(), null);
    AttentionMask mask = new AttentionMask(0, false, tokens.paddingMask(), position());
    boolean thins = config.at().contains(context.layer()) && config.share() < 1;
    if (!thins) {
      Tensor result = inFloat32(heads, h -> attend(h, mask, tokens.sizes()));
      return new ReducedTokens(
          joinHeads(result, x), null, null, tokens.paddingMask(), tokens.sizes());
    }
    Tensor[] seen = new Tensor[2];
    Tensor result =
        inFloat32(
            heads,
            h -> {
              seen[0] = shown(h, mask, tokens.sizes());
              seen[1] = h.key();
              return config.rule().attentionRows() == TokenReducer.AttentionRows.ALL
                  ? seen[0].matmul(repeatGroups(h.value()))
                  : attend(h, mask, tokens.sizes());
            });
    TokenReducer.ReductionInput input =
        new TokenReducer.ReductionInput(
            seen[0].detach().to(DType.FLOAT32),
            seen[1].detach().to(DType.FLOAT32),
            tokens.paddingMask(),
            config.share(),
            config.first(),
            context.layer(),
            context.layers());
    return chosen(concatHeads(result, x), input, tokens.sizes());
  }

  /** The rows of the attention weights that the rule needs. */
  private Tensor shown(Heads h, AttentionMask mask, Tensor sizes) {
    long rows =
        switch (config.rule().attentionRows()) {
          case NONE -> 0;
          case FIRST -> 1;
          case ALL -> h.query().size(2);
        };
    Heads asking = new Heads(h.query().narrow(2, 0, rows), h.key(), h.value());
    Tensor logits = counted(logits(asking, mask), sizes);
    return mask.paddingMask() == null ? logits.softmax(3) : Functional.safeSoftmax(logits, -1);
  }

  private Tensor attend(Heads h, AttentionMask mask, Tensor sizes) {
    if (sizes == null) {
      return attend(h, mask);
    }
    Tensor bias = counted(Tensor.zeros(h.query().dtype(), 1, 1, 1, h.key().size(2)), sizes);
    Tensor masked =
        mask.paddingMask() == null
            ? bias
            : bias.maskedFill(
                mask.paddingMask().unsqueeze(1).unsqueeze(1).not(), Double.NEGATIVE_INFINITY);
    long queries = h.query().size(2);
    Tensor whole = masked.expand(h.query().size(0), 1, queries, h.key().size(2));
    return Functional.attention(h.query(), h.key(), h.value(), whole, false, null);
  }

  /**
   * Adds the logarithm of sizes to logits, so that merged tokens count as often as they represent.
   */
  private static Tensor counted(Tensor logits, Tensor sizes) {
    return sizes == null
        ? logits
        : logits.add(sizes.clamp(1e-6, Double.POSITIVE_INFINITY).log().unsqueeze(1).unsqueeze(1));
  }

  private ReducedTokens chosen(Tensor result, TokenReducer.ReductionInput input, Tensor sizes) {
    TokenReducer.Reduction reduction = config.rule().reduce(input);
    Tensor scores = reduction.scores();
    if (input.paddingMask() != null) {
      scores = scores.maskedFill(input.paddingMask().not(), -Float.MAX_VALUE);
    }
    if (input.first()) {
      Tensor isFirst = Tensor.arange(0, input.length()).eq(0L).unsqueeze(0);
      scores = scores.maskedFill(isFirst, Float.MAX_VALUE);
    }
    int most = (int) Math.min(input.length(), Math.max(1, (long) input.kept().max().item()));
    Tensor best = scores.topK(most, 1).indices();
    Tensor stay = best.sort(1, false).values();
    Tensor paddingMask = input.paddingMask() == null ? null : surplusAsPadding(input, best, stay);
    if (reduction.into() == null) {
      // The output layer is computed only for the tokens that stay.
      return new ReducedTokens(
          outputLayer(ReducedTokens.rows(result, stay)), stay, null, paddingMask, sizes);
    }
    Tensor ones = Tensor.ones(stay.size(0), input.length());
    Tensor before = sizes == null ? ones : sizes;
    Tensor weights = before.mul(input.present()); // padding is not merged
    return new ReducedTokens(
        outputLayer(result),
        stay,
        places(stay, paddingMask, reduction.into()),
        paddingMask,
        weights);
  }

  /** The mask of padding for sequences that keep fewer tokens than the longest. */
  private static Tensor surplusAsPadding(
      TokenReducer.ReductionInput input, Tensor best, Tensor stay) {
    Tensor place =
        Tensor.arange(0, best.size(1)).to(DType.FLOAT32).unsqueeze(0).expand(best.size(0), -1);
    Tensor own = place.lt(input.kept()).to(DType.FLOAT32);
    Tensor flags = Tensor.zeros(best.size(0), input.length()).scatter(1, best, own);
    return flags.gather(1, stay).gt(0);
  }

  /** The index among the staying tokens of each token, or of the one that it is merged into. */
  private static Tensor places(Tensor stay, Tensor paddingMask, Tensor into) {
    Tensor none = Tensor.full(-1, DType.INT64, into.size(0), into.size(1));
    Tensor numbers = Tensor.arange(0, stay.size(1)).unsqueeze(0).expand(stay.size(0), stay.size(1));
    if (paddingMask != null) {
      numbers = numbers.where(paddingMask, Tensor.full(-1, DType.INT64, 1));
    }
    Tensor own = none.scatter(1, stay, numbers);
    return own.where(own.ge(0L), own.gather(1, into)).maximum(Tensor.full(0, DType.INT64, 1));
  }
}
