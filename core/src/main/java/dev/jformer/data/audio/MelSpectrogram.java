package dev.jformer.data.audio;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of the features of recordings: the logarithm of the energy in bands of the mel
 * scale, for each of a fixed number of frames.
 *
 * <p>A frame is a piece of the recording under a Hann window. Its spectrum's squares are summed by
 * triangles, whose corners are equally far apart on the mel scale, {@code 2595 log10(1 + f/700)};
 * the features are {@code ln(sum + 1e-6)}. All as torchaudio's {@code MelSpectrogram} with {@code
 * center=False} and its defaults, but for the logarithm. {@link MelExtractor} computes them.
 *
 * @param rate samples in a second, to which recordings are brought, in Hz
 * @param seconds the length to which recordings are cut, or padded with silence
 * @param window length of a frame, in seconds
 * @param hop from one frame's start to the next, in seconds
 * @param bands number of features of a frame
 * @param low where the lowest band begins, in Hz
 * @param high where the highest band ends, in Hz; 0 for half of the rate
 */
@RecordBuilder
public record MelSpectrogram(
    double rate, double seconds, double window, double hop, int bands, double low, double high)
    implements MelSpectrogramBuilder.With {
  /** Longer sequences are refused: memory would not suffice. */
  private static final int MOST_FRAMES = 100_000;

  private static final int LONGEST_TRANSFORM = 1 << 14;

  /** Defaults for words: a second of 8 kHz, a frame of 25 ms each 10 ms, 40 bands. */
  public MelSpectrogram() {
    this(8000, 1, 0.025, 0.01, 40, 0, 0);
  }

  /** Checks the values. */
  public MelSpectrogram {
    Checks.check(rate >= 100 && rate <= 384_000, "rate", rate, "100 to 384000 Hz");
    Checks.moreThan("seconds", seconds, 0);
    Checks.moreThan("window", window, 0);
    Checks.moreThan("hop", hop, 0);
    Checks.between("bands", bands, 1, 1024);
    Checks.atLeast("low", low, 0);
    double nyquist = rate / 2;
    Checks.check(high >= 0 && high <= nyquist, "high", high, "at most half of the rate, or 0");
    double top = high == 0 ? nyquist : high;
    Checks.check(low < top, "low", low, "less than the highest frequency " + top);
    Checks.check(seconds >= window, "seconds", seconds, "at least the window " + window);
    Checks.check(
        Math.round(window * rate) >= 2 && Math.round(window * rate) <= LONGEST_TRANSFORM,
        "window",
        window,
        "2 to " + LONGEST_TRANSFORM + " samples at the rate");
    Checks.check(Math.round(hop * rate) >= 1, "hop", hop, "at least one sample");
    Checks.check(
        seconds / hop <= MOST_FRAMES, "seconds", seconds, "at most " + MOST_FRAMES + " frames");
  }

  /** Samples in a frame. */
  int windowSamples() {
    return (int) Math.round(window * rate);
  }

  /** Samples from one frame's start to the next. */
  int hopSamples() {
    return (int) Math.round(hop * rate);
  }

  /** The length of a frame's Fourier transform: the window's, or the next power of two. */
  int transform() {
    int samples = windowSamples();
    return Integer.bitCount(samples) == 1 ? samples : Integer.highestOneBit(samples) << 1;
  }

  /** Where the highest band ends, in Hz. */
  double highest() {
    return high == 0 ? rate / 2 : high;
  }

  /** The number of frames T. */
  public int frames() {
    return 1 + (samples() - windowSamples()) / hopSamples();
  }

  /** Samples of a recording of the full length. */
  int samples() {
    return (int) Math.round(seconds * rate);
  }

  /** The frames of a recording of a length that hold something of it, at least 1. */
  public int framesOf(Recording recording) {
    long samples = Math.round(recording.seconds() * rate);
    long last = (Math.min(samples, samples()) - 1) / hopSamples();
    return (int) Math.max(1, Math.min(frames(), 1 + last));
  }
}
