package dev.jformer.studies.trial;

import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;

/** A language model to compress; see {@link Subject#language}. */
record LanguageSubject(
    CausalLm model, TokenFile text, SequenceSampler sampler, int batches, int evaluated, long limit)
    implements Subject {
  @Override
  public Metrics evaluate(Model other) {
    return Metrics.ofLoss(
        LanguageModelling.evaluate((CausalLm) other, text, evaluated, limit), "nats per token");
  }

  @Override
  public void run(Model other) {
    for (int i = 0; i < batches; i++) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        forward(other, sampler.batch(i).inputs());
      }
    }
  }

  @Override
  public Tensor outputs(Model other) {
    return forward(other, sampler.batch(batches).inputs());
  }

  @Override
  public Tensor inputs(int count) {
    return Tensor.randint(0, model.config().vocab(), count, model.config().length());
  }

  @Override
  public Tensor forward(Model other, Tensor inputs) {
    return ((CausalLm) other).logits(inputs);
  }
}
