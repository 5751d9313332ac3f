package dev.jformer.decode;

import dev.jformer.data.text.TextBatch;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Optimizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Predicts from the beginning of a text whether the whole will have an attribute, for a beam search
 * that looks for probable texts that have it, as in <a
 * href="https://arxiv.org/abs/2311.08817">MAP's not dead yet: Uncovering true language model modes
 * by conditioning away degeneracy</a>, a part of <a href="https://arxiv.org/abs/2408.16241">Making
 * the Most of your Model: Methods for Finetuning and Applying Pretrained Transformers</a>. It
 * learns from texts that the model itself has drawn: each of their beginnings has the label of the
 * whole text.
 *
 * <p>The paper leaves the classifier open. Here the logit of the attribute after hidden state h and
 * next token v is {@code o(A h + a)_v + b·h + c}, where o is the model's output layer, which is not
 * changed. So one product gives the logits of all next tokens, and a step of the search costs
 * little more than without.
 */
public final class OutcomeClassifier extends Module implements BeamSearch.Guide {
  private final EncoderDecoder model;
  private final Slot<Layer> token;
  private final Slot<Layer> state;

  /** Creates a classifier that knows nothing: it gives every text probability 1/2. */
  public OutcomeClassifier(EncoderDecoder model) {
    this.model = model;
    int width = model.config().width();
    try (Mode normal = Autograd.noInference()) { // it may be made while models are only used
      this.token = child("token", Layer.class, new Linear(width, width, true, Initializer.zeros()));
      this.state = child("state", Layer.class, new Linear(width, 1, true, Initializer.zeros()));
    }
  }

  @Override
  public Tensor logProbabilities(Tensor hidden) {
    return Functional.softplus(logits(hidden).neg()).neg();
  }

  private Tensor logits(Tensor hidden) {
    Tensor tokens = model.output(token.get().forward(hidden)).to(DType.FLOAT32);
    return tokens.add(state.get().forward(hidden));
  }

  /**
   * Learns from one batch of texts.
   *
   * @param sources ids of the source of each text
   * @param texts ids as {@link OutputSampler} gives them
   * @param labels whether each text has the attribute
   * @return the mean cross-entropy of all beginnings in nats, before the step
   */
  public double step(
      Optimizer optimizer, double rate, List<int[]> sources, List<int[]> texts, boolean[] labels) {
    try (Scope scope = Scope.open();
        Mode normal = Autograd.noInference();
        Mode learning = Autograd.enableGrad()) {
      TextBatch from = TextBatch.of(sources, model.end());
      Tensor hidden;
      List<int[]> inputs = new ArrayList<>();
      for (int[] text : texts) {
        int[] input = new int[text.length];
        input[0] = model.end();
        System.arraycopy(text, 0, input, 1, text.length - 1);
        inputs.add(input);
      }
      try (Mode constant = Autograd.noGrad()) {
        Tensor memory = model.encode(from.ids(), from.paddingMask());
        Tensor ids = TextBatch.of(inputs, model.end()).ids();
        hidden = model.hidden(memory, from.paddingMask(), ids).flatten(0, 1);
      }
      int longest = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
      long[] next = new long[texts.size() * longest];
      float[] weight = new float[next.length];
      float[] sign = new float[next.length];
      for (int i = 0; i < texts.size(); i++) {
        int[] text = texts.get(i);
        for (int t = 0; t < text.length; t++) {
          next[i * longest + t] = text[t];
          weight[i * longest + t] = 1;
        }
        Arrays.fill(sign, i * longest, (i + 1) * longest, labels[i] ? -1 : 1);
      }
      Tensor chosen = logits(hidden).gather(1, Tensor.of(next, next.length, 1)).squeeze(1);
      Tensor counts = Tensor.of(weight, weight.length);
      Tensor each = Functional.softplus(chosen.mul(Tensor.of(sign, sign.length)));
      Tensor loss = each.mul(counts).sum().div(counts.sum());
      clearGrads();
      loss.backward();
      optimizer.step(rate);
      model.clearGrads(); // of the output layer, which stays as it is
      return loss.item();
    }
  }

  /** An optimizer for this classifier. */
  public Optimizer optimizer() {
    return new AdamW(this, new AdamW.Config());
  }
}
