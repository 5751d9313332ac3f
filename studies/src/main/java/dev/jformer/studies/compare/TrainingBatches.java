package dev.jformer.studies.compare;

import dev.jformer.compress.CalibrationData;
import dev.jformer.model.Model;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Classifying;
import dev.jformer.train.Task;

/**
 * Batches of training data that calibrate a compression.
 *
 * @param count number of batches
 */
record TrainingBatches(PreparedData data, Recipe recipe, int count) implements CalibrationData {
  @Override
  public void run(Model model) {
    Task task = task(model);
    try (Mode mode = Autograd.noGrad()) {
      for (int i = 0; i < count; i++) {
        try (Scope scope = Scope.open()) {
          task.loss(i);
        }
      }
    }
  }

  @Override
  public Tensor loss(Model model) {
    return task(model).loss(0);
  }

  @Override
  public Tensor loss(Model model, double temperature) {
    if (temperature == 1 || !(task(model) instanceof Classifying task)) {
      return CalibrationData.super.loss(model, temperature);
    }
    Classifying.Prediction prediction = task.passes(0).get();
    return prediction.criterion().apply(prediction.logits().div(temperature));
  }

  private Task task(Model model) {
    return data.task(model, recipe, PreparedData.USUAL);
  }
}
