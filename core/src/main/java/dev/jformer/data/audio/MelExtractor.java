package dev.jformer.data.audio;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** Computes the features of recordings that a {@link MelSpectrogram} describes. */
public final class MelExtractor {
  private static final double FLOOR = 1e-6;

  private final MelSpectrogram settings;
  private final int bins;
  private final double[] hann;
  private final double[] cosines;
  private final double[] sines;
  private final double[] triangles;

  /** Computes windows, waves and bands, for any number of recordings. */
  public MelExtractor(MelSpectrogram settings) {
    this.settings = settings;
    this.bins = settings.transform() / 2 + 1;
    int length = settings.windowSamples();
    this.hann = new double[length];
    for (int i = 0; i < length; i++) {
      hann[i] = 0.5 - 0.5 * Math.cos(2 * Math.PI * i / length);
    }
    this.cosines = new double[length * bins];
    this.sines = new double[length * bins];
    for (int t = 0; t < length; t++) {
      for (int k = 0; k < bins; k++) {
        int turn = (int) ((long) t * k % settings.transform());
        double angle = 2 * Math.PI * turn / settings.transform();
        cosines[t * bins + k] = Math.cos(angle);
        sines[t * bins + k] = Math.sin(angle);
      }
    }
    this.triangles = triangles();
  }

  /** The weight of each bin in each band: [bins, bands]. */
  private double[] triangles() {
    int bands = settings.bands();
    double from = mel(settings.low());
    double step = (mel(settings.highest()) - from) / (bands + 1);
    double[] weights = new double[bins * bands];
    for (int k = 0; k < bins; k++) {
      double frequency = k * settings.rate() / settings.transform();
      for (int b = 0; b < bands; b++) {
        double left = hertz(from + b * step);
        double middle = hertz(from + (b + 1) * step);
        double right = hertz(from + (b + 2) * step);
        double rising = (frequency - left) / (middle - left);
        double falling = (right - frequency) / (right - middle);
        weights[k * bands + b] = Math.max(0, Math.min(rising, falling));
      }
    }
    return weights;
  }

  private static double mel(double hertz) {
    return 2595 * Math.log10(1 + hertz / 700);
  }

  private static double hertz(double mel) {
    return 700 * (Math.pow(10, mel / 2595) - 1);
  }

  /**
   * Computes the features of a recording, of any rate and length.
   *
   * @return T rows of features, one after the other
   */
  public float[] of(Recording recording) {
    float[] heard = recording.at(settings.rate()).samples();
    double[] samples = new double[settings.samples()];
    for (int i = 0; i < Math.min(samples.length, heard.length); i++) {
      samples[i] = heard[i];
    }
    int length = settings.windowSamples();
    try (Scope scope = Scope.open()) {
      Tensor pieces =
          Tensor.of(samples).unfold(0, length, settings.hopSamples()).mul(Tensor.of(hann));
      Tensor real = pieces.matmul(Tensor.of(cosines, length, bins));
      Tensor imaginary = pieces.matmul(Tensor.of(sines, length, bins));
      Tensor power = real.square().add(imaginary.square());
      Tensor bands = power.matmul(Tensor.of(triangles, bins, settings.bands()));
      return bands.add(FLOOR).log().to(DType.FLOAT32).toFloats();
    }
  }
}
