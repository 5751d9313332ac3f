package dev.jformer.nas;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;

/** The operations of matrix products in a pass over the batch as a score. */
@AutoService(StudentScore.class)
public record FlopCount() implements StudentScore {
  @Override
  public String type() {
    return "flops";
  }

  @Override
  public double of(Candidate candidate) {
    candidate.student().train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return Flops.of(() -> candidate.passes().logits(candidate.student()));
    }
  }
}
