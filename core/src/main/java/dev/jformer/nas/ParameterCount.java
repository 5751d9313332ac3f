package dev.jformer.nas;

import com.google.auto.service.AutoService;

/** The number of weights as a score: the simplest rival of all others. */
@AutoService(StudentScore.class)
public record ParameterCount() implements StudentScore {
  @Override
  public String type() {
    return "parameters";
  }

  @Override
  public double of(Candidate candidate) {
    return candidate.student().parameterCount();
  }
}
