package dev.jformer.hub;

import dev.jformer.config.ConfigException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** How the hidden states of a text become one vector, as sentence-transformers names it. */
enum SentencePooling {
  /** The state of the first token. */
  CLS("cls", "pooling_mode_cls_token") {
    @Override
    Tensor pool(Tensor hidden, Tensor weights) {
      return hidden.select(1, 0);
    }
  },
  /** The largest value of each dimension. */
  MAX("max", "pooling_mode_max_tokens") {
    @Override
    Tensor pool(Tensor hidden, Tensor weights) {
      return hidden.maskedFill(weights.eq(0.0).unsqueeze(2), -1e9).max(1, false);
    }
  },
  /** The mean. */
  MEAN("mean", "pooling_mode_mean_tokens") {
    @Override
    Tensor pool(Tensor hidden, Tensor weights) {
      return sum(hidden, weights).div(count(weights));
    }
  },
  /** The sum over the square root of the number of tokens. */
  MEAN_SQRT_LEN("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens") {
    @Override
    Tensor pool(Tensor hidden, Tensor weights) {
      return sum(hidden, weights).div(count(weights).sqrt());
    }
  },
  /** The mean, in which token i has weight i, counted from 1. */
  WEIGHTED_MEAN("weightedmean", "pooling_mode_weightedmean_tokens") {
    @Override
    Tensor pool(Tensor hidden, Tensor weights) {
      Tensor rising =
          weights.mul(Tensor.arange(1, hidden.size(1) + 1).to(DType.FLOAT32).unsqueeze(0));
      return sum(hidden, rising).div(count(rising));
    }
  },
  /** The state of the last token. */
  LAST_TOKEN("lasttoken", "pooling_mode_lasttoken") {
    @Override
    Tensor pool(Tensor hidden, Tensor weights) {
      Tensor places = Tensor.arange(0, hidden.size(1)).to(DType.FLOAT32).unsqueeze(0);
      Tensor last = weights.mul(places).argmax(1).to(DType.FLOAT32).unsqueeze(1);
      return sum(hidden, places.eq(last).to(DType.FLOAT32));
    }
  };

  private final String spelled;

  /** The field of {@code 1_Pooling/config.json} that switches it on. */
  private final String field;

  SentencePooling(String spelled, String field) {
    this.spelled = spelled;
    this.field = field;
  }

  String field() {
    return field;
  }

  /**
   * Pools hidden states.
   *
   * @param hidden float32 [B, T, D]
   * @param weights float32 [B, T], 1 for tokens that count and 0 for others
   * @return [B, D]
   */
  abstract Tensor pool(Tensor hidden, Tensor weights);

  private static Tensor sum(Tensor hidden, Tensor weights) {
    return hidden.mul(weights.unsqueeze(2)).sum(1, false);
  }

  private static Tensor count(Tensor weights) {
    return weights.sum(1, true).clamp(1e-9, Double.POSITIVE_INFINITY);
  }

  /**
   * The pooling of this name.
   *
   * @throws ConfigException if there is none
   */
  static SentencePooling named(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new ConfigException("pooling_mode is '" + name + "': expected one of " + names()));
  }

  static Optional<SentencePooling> find(String name) {
    return Stream.of(values()).filter(pooling -> pooling.spelled.equals(name)).findFirst();
  }

  /** All names, for messages. */
  static String names() {
    return String.join(", ", Stream.of(values()).map(pooling -> pooling.spelled).toList());
  }

  /** Pools in each of these ways and joins the vectors. */
  static Tensor pool(List<SentencePooling> ways, Tensor hidden, Tensor weights) {
    Tensor[] parts = ways.stream().map(way -> way.pool(hidden, weights)).toArray(Tensor[]::new);
    return parts.length == 1 ? parts[0] : Tensor.cat(1, parts);
  }
}
