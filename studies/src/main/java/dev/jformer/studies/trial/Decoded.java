package dev.jformer.studies.trial;

import dev.jformer.data.text.Batch;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What a language model gives that reads texts token by token, with no gradients recorded.
 *
 * @param bytes that the caches of all layers hold in the end, for one sequence
 * @param loss nats a token, each predicted by a step
 * @param likeliest the likeliest tokens, int64 [B, T]
 * @param greedy how the first half of each text goes on with the likeliest tokens, int64 [B, T']
 */
public record Decoded(double bytes, double loss, Tensor likeliest, Tensor greedy) {
  /**
   * How a changed model decodes, beside the model itself.
   *
   * @param bytes that its caches hold for one sequence
   * @param loss nats a token
   * @param agreement share of the predictions whose likeliest token is the other's
   * @param together share of greedily generated tokens before the first that differs
   */
  public record Outcome(double bytes, double loss, double agreement, double together) {}

  /** Decodes texts with a model. */
  public static Decoded of(CausalLm model, Batch text) {
    long rows = text.inputs().size(0);
    long length = text.inputs().size(1);
    List<Tensor> likeliest = new ArrayList<>();
    double loss = 0;
    try (CausalLm.Decoding decoding = model.decode(rows, length)) {
      for (int t = 0; t < length; t++) {
        try (Scope scope = Scope.open()) {
          Tensor logits = decoding.next(text.inputs().narrow(1, t, 1));
          Tensor target = text.targets().narrow(1, t, 1);
          loss -= logits.logSoftmax(1).gather(1, target).to(DType.FLOAT64).sum().item();
          likeliest.add(logits.argmax(1).keep());
        }
      }
      return new Decoded(
          (double) decoding.bytes() / rows,
          loss / (rows * length),
          Tensor.stack(1, likeliest.toArray(new Tensor[0])),
          greedy(model, text.inputs()));
    }
  }

  private static Tensor greedy(CausalLm model, Tensor texts) {
    long length = texts.size(1);
    List<Tensor> all = new ArrayList<>();
    try (CausalLm.Decoding decoding = model.decode(texts.size(0), length)) {
      Tensor next = texts.narrow(1, 0, length / 2);
      for (long t = length / 2; t < length; t++) {
        try (Scope scope = Scope.open()) {
          next = decoding.next(next).argmax(1).unsqueeze(1).keep();
        }
        all.add(next);
      }
    }
    return Tensor.cat(1, all.toArray(new Tensor[0]));
  }

  /** What this gave, beside what the model itself gave with the same texts. */
  public Outcome beside(Decoded other) {
    // Ones until the first that differs.
    Tensor parted = greedy.eq(other.greedy).not().to(DType.FLOAT64).cumsum(1);
    return new Outcome(
        bytes,
        loss,
        likeliest.eq(other.likeliest).to(DType.FLOAT64).mean().item(),
        parted.eq(0).to(DType.FLOAT64).mean().item());
  }
}
