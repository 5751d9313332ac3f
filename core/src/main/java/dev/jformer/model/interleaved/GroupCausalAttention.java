package dev.jformer.model.interleaved;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Softmax attention of latents that come in groups: each sees its whole group and all groups
 * before. In decoding whole groups are added.
 */
final class GroupCausalAttention extends Attention {
  /** The most queries that attend at once, so that masks stay small and later keys are not read. */
  private static final long CHUNK = 512;

  /**
   * Configuration, which is a part of another one.
   *
   * @param heads H, must divide the width
   * @param group number of latents in a group
   */
  record Config(int heads, int group) implements TokenMixer.Config {
    @Override
    public String type() {
      return "group-causal";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new GroupCausalAttention(this, context, position);
    }
  }

  private final long group;

  private GroupCausalAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), 0, context, position);
    this.group = config.group();
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    long queries = h.query().size(2);
    long chunk = Math.max(1, CHUNK / group) * group;
    List<Tensor> parts = new ArrayList<>();
    for (long first = 0; first < queries; first += chunk) {
      parts.add(attend(h, mask, first, Math.min(chunk, queries - first)));
    }
    return parts.size() == 1 ? parts.get(0) : Tensor.cat(2, parts.toArray(Tensor[]::new));
  }

  /** Attends with the queries of some groups to the keys up to their end. */
  private Tensor attend(Heads h, AttentionMask mask, long first, long count) {
    long keys = mask.start() + first + count;
    return Functional.attention(
        h.query().narrow(2, first, count),
        h.key().narrow(2, 0, keys),
        h.value().narrow(2, 0, keys),
        mask(mask, mask.start() + first, count, keys),
        false,
        null);
  }

  /** The mask of queries from a position on, with the bias of positions; null if there is none. */
  private Tensor mask(AttentionMask mask, long start, long queries, long keys) {
    Tensor bias = mask.position().sharedBias(start, queries, keys, false);
    Tensor allowed = allowed(mask.paddingMask(), start, queries, keys);
    if (bias == null) {
      return allowed;
    }
    Tensor all = bias.unsqueeze(0);
    return allowed == null ? all : all.maskedFill(allowed.not(), Double.NEGATIVE_INFINITY);
  }

  /** The pairs that groups and padding allow; padding is seen by its own group at most. */
  private Tensor allowed(Tensor paddingMask, long start, long queries, long keys) {
    if (paddingMask == null && queries == group) {
      return null;
    }
    Tensor query = Tensor.arange(start, start + queries).floorDiv(group).unsqueeze(1);
    Tensor key = Tensor.arange(0, keys).floorDiv(group).unsqueeze(0);
    Tensor before = key.le(query);
    if (paddingMask == null) {
      return before;
    }
    Tensor there = paddingMask.narrow(1, 0, keys).unsqueeze(1).unsqueeze(1);
    return before.and(there.or(key.eq(query)));
  }

  @Override
  protected Tensor weights(Heads h, AttentionMask mask) {
    long keys = h.key().size(2);
    Tensor bias = mask.position().sharedBias(mask.start(), h.query().size(2), keys, false);
    Tensor logits = bias == null ? products(h) : products(h).add(bias);
    Tensor allowed = allowed(mask.paddingMask(), mask.start(), h.query().size(2), keys);
    Tensor seen =
        allowed == null ? logits : logits.maskedFill(allowed.not(), Double.NEGATIVE_INFINITY);
    return Functional.safeSoftmax(seen, -1);
  }
}
