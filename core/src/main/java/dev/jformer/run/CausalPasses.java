package dev.jformer.run;

import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** Forward passes of causal language models. */
final class CausalPasses implements ForwardPasses {
  private static final int PROMPT = 8;
  private static final int DECODED_TOKENS = 32;

  @Override
  public Tensor forward(Model model, Tensor input, Tensor paddingMask) {
    return ((CausalLm) model).logits(input);
  }

  @Override
  public Tensor loss(Model model, Tensor input, Tensor paddingMask, Tensor target) {
    return ((CausalLm) model).loss(input, target);
  }

  @Override
  public Tensor loss(
      Model model, Tensor input, Tensor paddingMask, Tensor target, double temperature) {
    Tensor logits = ((CausalLm) model).logits(input).flatten(0, 1).to(DType.FLOAT32);
    return Functional.crossEntropy(logits.div(temperature), target.flatten(0, 1), -1, 0);
  }

  @Override
  public Tensor input(Model model, int batch) {
    return Tensor.randint(0, ((CausalLm) model).config().vocab(), batch, units(model));
  }

  @Override
  public Optional<Decoding> decoding(Model model) {
    int capacity = ((CausalLm) model).config().length();
    CausalLm.Decoding decoding = ((CausalLm) model).decode(1, capacity);
    return Optional.of(
        new Decoding() {
          @Override
          public int capacity() {
            return capacity;
          }

          @Override
          public void next(Tensor ids) {
            decoding.next(ids);
          }

          @Override
          public long bytes() {
            return decoding.bytes();
          }

          @Override
          public void close() {
            decoding.close();
          }
        });
  }

  @Override
  public String unit() {
    return "tokens";
  }

  @Override
  public long units(Model model) {
    return Math.min(EncoderPasses.LONGEST, ((CausalLm) model).config().length());
  }

  @Override
  public int decode(Model model) {
    CausalLm lm = (CausalLm) model;
    int longest = (int) Math.min(PROMPT + DECODED_TOKENS, lm.longest());
    int prompt = Math.min(PROMPT, longest - 1);
    Generator.Request request = new Generator.Request(longest - prompt, Sampling.GREEDY);
    new Generator(lm).generate(List.of(new int[prompt]), request, ids -> "", null);
    return longest - prompt;
  }
}
