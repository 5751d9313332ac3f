package dev.jformer.compress.quantize;

import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.Linear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleConsumer;

/** Samples of the inputs of a model's layers, collected on calibration data. */
final class LayerInputs implements AutoCloseable {
  private final Map<String, CalibrationSample> samples = new LinkedHashMap<>();

  private LayerInputs() {}

  /**
   * Runs a model in inference mode and collects its layers' inputs.
   *
   * @param method for messages
   * @param model is not changed
   * @param most the most rows of a sample
   * @throws IllegalArgumentException if there is no data, a layer was not run, or its inputs or
   *     outputs are not finite
   */
  static LayerInputs collect(
      String method, Model model, Set<String> layers, CalibrationData data, int most) {
    if (data == null) {
      throw new IllegalArgumentException(
          method + " needs calibration data, to measure the range of activations");
    }
    LayerInputs inputs = new LayerInputs();
    layers.forEach(name -> inputs.samples.put(name, new CalibrationSample(most)));
    boolean training = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad();
        Scope scope = Scope.open();
        ForwardHook hook = ForwardHook.on(model, layers::contains, inputs::add)) {
      data.run(model);
      inputs.expectData();
      return inputs;
    } catch (RuntimeException | Error e) {
      inputs.close();
      throw e;
    } finally {
      model.train(training);
    }
  }

  /**
   * Fits a layer to the plain linear layer that it replaces, on a sample of that layer's inputs.
   */
  @FunctionalInterface
  interface Fitting<T> {
    /** Fits the layer of this name. */
    void fit(String name, T layer, Linear original, CalibrationSample inputs);
  }

  /**
   * Fits layers one after another to the linear layers of a model that they replace; the other
   * parameters are those of {@link #collect}.
   *
   * @param layers by their names
   */
  static <T> void fit(
      String method,
      Model model,
      Map<String, T> layers,
      CalibrationData data,
      int most,
      DoubleConsumer progress,
      Fitting<T> fitting) {
    Map<String, Linear> originals = ModelRebuilder.linears(model, layers);
    try (LayerInputs inputs = collect(method, model, layers.keySet(), data, most)) {
      ModelRebuilder.each(
          layers,
          progress,
          (name, layer) -> fitting.fit(name, layer, originals.get(name), inputs.of(name)));
    }
  }

  private void add(ForwardHook.Output seen) {
    expectFinite(seen.layer(), "was given", seen.input());
    expectFinite(seen.layer(), "gave", seen.output());
    samples.get(seen.layer()).add(seen.input());
  }

  private static void expectFinite(String layer, String did, Tensor x) {
    if (!x.isFinite().all()) {
      throw new IllegalArgumentException(
          "calibrating, the layer "
              + layer
              + " "
              + did
              + " numbers that are not finite: the model or the data is damaged");
    }
  }

  private void expectData() {
    if (samples.values().stream().allMatch(CalibrationSample::isEmpty)) {
      throw new IllegalArgumentException("the calibration data is empty: the model did not run");
    }
    samples.forEach(
        (name, sample) -> {
          if (sample.isEmpty()) {
            throw new IllegalArgumentException(
                "calibrating, the layer " + name + " was never run: the data must use all layers");
          }
        });
  }

  /** The sample of a layer. */
  CalibrationSample of(String layer) {
    return samples.get(layer);
  }

  @Override
  public void close() {
    samples.values().forEach(CalibrationSample::close);
  }
}
