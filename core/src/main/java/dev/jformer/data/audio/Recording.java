package dev.jformer.data.audio;

import dev.jformer.config.Checks;
import dev.jformer.data.DataException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import javax.sound.sampled.UnsupportedAudioFileException;

/**
 * A recording of one channel: samples from -1 to 1, so many in a second.
 *
 * @param samples in order; not copied
 * @param rate samples in a second, in Hz
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Recording(float[] samples, double rate) {
  /** Larger files are refused as a mistake or an attack. */
  private static final int MOST_BYTES = 1 << 28;

  /** Sampling rates beyond these are refused; 384 kHz is the highest that devices have. */
  private static final double LOWEST_RATE = 100;

  private static final double HIGHEST_RATE = 384_000;
  private static final int MOST_CHANNELS = 64;

  /** Checks the rate. */
  public Recording {
    Checks.notNull("samples", samples);
    Checks.moreThan("rate", rate, 0);
  }

  /**
   * Reads a file of integers (PCM) of 8, 16, 24 or 32 bits: WAV, AIFF or AU. Several channels are
   * mixed to their mean.
   *
   * @throws DataException if it is not such a file, is cut off, or has no samples
   */
  public static Recording read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new DataException(
          file
              + (Files.exists(file) ? " is not a regular file" : ": no such file")
              + ": expected a recording such as a WAV file");
    }
    if (Files.size(file) > MOST_BYTES) {
      throw new DataException(
          "%s has more than %,d MB: expected a recording of seconds"
              .formatted(file, MOST_BYTES >> 20));
    }
    return decode(Files.readAllBytes(file), file.toString());
  }

  /**
   * Reads the content of a file, as {@link #read} does.
   *
   * @param name of the file, for errors
   */
  public static Recording decode(byte[] content, String name) {
    try (AudioInputStream in = AudioSystem.getAudioInputStream(new ByteArrayInputStream(content))) {
      AudioFormat format = checked(in.getFormat(), name);
      int frameBytes = format.getChannels() * (format.getSampleSizeInBits() / 8);
      byte[] bytes = in.readAllBytes(); // at most those of the content
      long frames = bytes.length / frameBytes;
      long promised = in.getFrameLength();
      if (promised != AudioSystem.NOT_SPECIFIED && frames < promised) {
        throw new DataException(
            String.format(
                Locale.ROOT,
                "%s is cut off: its header promises %,d samples, but it holds %,d",
                name,
                promised,
                frames));
      }
      if (frames == 0) {
        throw new DataException(name + " holds no samples: expected a recording; remove it");
      }
      return new Recording(mixed(bytes, format, (int) frames), format.getSampleRate());
    } catch (UnsupportedAudioFileException e) {
      throw new DataException(
          name + " is not a recording that can be read: expected WAV, AIFF or AU with PCM samples",
          e);
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new DataException(name + " is damaged: " + e.getMessage(), e);
    }
  }

  private static AudioFormat checked(AudioFormat format, String name) {
    int bits = format.getSampleSizeInBits();
    boolean pcm =
        format.getEncoding().equals(AudioFormat.Encoding.PCM_SIGNED)
            || (bits == 8 && format.getEncoding().equals(AudioFormat.Encoding.PCM_UNSIGNED));
    if (!pcm || !Set.of(8, 16, 24, 32).contains(bits)) {
      throw new DataException(
          name
              + " has samples of the kind "
              + format.getEncoding()
              + " with "
              + bits
              + " bits: expected PCM of 8, 16, 24 or 32 bits; convert it");
    }
    if (!(format.getSampleRate() >= LOWEST_RATE && format.getSampleRate() <= HIGHEST_RATE)) {
      throw new DataException(
          name
              + " has a sampling rate of "
              + format.getSampleRate()
              + " Hz: expected 100 to 384000 Hz");
    }
    if (format.getChannels() < 1 || format.getChannels() > MOST_CHANNELS) {
      throw new DataException(
          name + " has " + format.getChannels() + " channels: expected 1 to " + MOST_CHANNELS);
    }
    return format;
  }

  /** The mean of the channels. */
  private static float[] mixed(byte[] bytes, AudioFormat format, int frames) {
    int size = format.getSampleSizeInBits() / 8;
    int channels = format.getChannels();
    boolean signed = format.getEncoding().equals(AudioFormat.Encoding.PCM_SIGNED);
    double largest = 1L << (8 * size - 1);
    float[] samples = new float[frames];
    for (int i = 0; i < frames; i++) {
      double sum = 0;
      for (int c = 0; c < channels; c++) {
        int at = (i * channels + c) * size;
        sum += signed ? integer(bytes, at, size, format.isBigEndian()) : (bytes[at] & 255) - 128;
      }
      samples[i] = (float) (sum / channels / largest);
    }
    return samples;
  }

  private static int integer(byte[] bytes, int at, int size, boolean bigEndian) {
    int value = bytes[bigEndian ? at : at + size - 1]; // the sign is in the highest byte
    for (int k = 1; k < size; k++) {
      value = (value << 8) | (bytes[bigEndian ? at + k : at + size - 1 - k] & 255);
    }
    return value;
  }

  /** The length in seconds. */
  public double seconds() {
    return samples.length / rate;
  }

  /**
   * This recording with another sampling rate. Between samples it is the sum of sines cardinal
   * under a Hann window of 32 periods of the lower rate, which removes what is above half of that.
   */
  public Recording at(double newRate) {
    if (newRate == rate) {
      return this;
    }
    double lower = Math.min(1, newRate / rate);
    double reach = 16 / lower;
    float[] result = new float[(int) Math.max(1, Math.round(samples.length * newRate / rate))];
    for (int i = 0; i < result.length; i++) {
      double place = i * rate / newRate;
      int first = (int) Math.max(0, Math.ceil(place - reach));
      int last = (int) Math.min(samples.length - 1, Math.floor(place + reach));
      double sum = 0;
      for (int j = first; j <= last; j++) {
        double distance = place - j;
        double window = 0.5 + 0.5 * Math.cos(Math.PI * distance / reach);
        sum += samples[j] * window * cardinal(distance * lower) * lower;
      }
      result[i] = (float) sum;
    }
    return new Recording(result, newRate);
  }

  private static double cardinal(double x) {
    return Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }
}
