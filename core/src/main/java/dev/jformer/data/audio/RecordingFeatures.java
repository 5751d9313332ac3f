package dev.jformer.data.audio;

import dev.jformer.data.DataException;
import dev.jformer.data.Fingerprint;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/** The features of labelled recordings, in memory. */
public final class RecordingFeatures {
  private final MelSpectrogram settings;
  private final List<String> classes;
  private final List<RecordingSource.Entry> entries;
  private final List<float[]> features;
  private final int[] heard;

  private RecordingFeatures(
      MelSpectrogram settings,
      List<String> classes,
      List<RecordingSource.Entry> entries,
      List<float[]> features,
      int[] heard) {
    this.settings = settings;
    this.classes = classes;
    this.entries = entries;
    this.features = features;
    this.heard = heard;
  }

  /**
   * Reads all recordings of a source.
   *
   * @param done called with the number of recordings that have been read
   * @throws DataException if one is damaged, or there are more than memory suffices for
   */
  public static RecordingFeatures of(
      RecordingSource source, MelSpectrogram settings, LongConsumer done) throws IOException {
    long size = (long) settings.frames() * settings.bands() * source.entries().size();
    if (size * Float.BYTES > Runtime.getRuntime().maxMemory() / 2) {
      throw new DataException(
          "%,d recordings of %,d frames are more than fit into memory: shorten features.seconds, or"
                  .formatted(source.entries().size(), settings.frames())
              + " give Java more (JFORMER_JAVA_OPTIONS=-Xmx8g)");
    }
    MelExtractor extractor = new MelExtractor(settings);
    List<float[]> features = new ArrayList<>();
    int[] heard = new int[source.entries().size()];
    source.read(
        (entry, recording) -> {
          heard[features.size()] = settings.framesOf(recording);
          features.add(extractor.of(recording));
          done.accept(features.size());
        });
    return new RecordingFeatures(settings, source.classes(), source.entries(), features, heard);
  }

  /** What the features are. */
  public MelSpectrogram settings() {
    return settings;
  }

  /** The names of the classes, in order. */
  public List<String> classes() {
    return classes;
  }

  /** The recordings, in order. */
  public List<RecordingSource.Entry> entries() {
    return entries;
  }

  /** The number of frames of a recording that are not the silence at its end. */
  public int heard(int recording) {
    return heard[recording];
  }

  /** The features of some recordings: [B, T, bands]. */
  public Tensor frames(int... recordings) {
    int size = settings.frames() * settings.bands();
    float[] all = new float[recordings.length * size];
    for (int i = 0; i < recordings.length; i++) {
      System.arraycopy(features.get(recordings[i]), 0, all, i * size, size);
    }
    return Tensor.of(all, recordings.length, settings.frames(), settings.bands());
  }

  /** The classes of some recordings: int64 [B]. */
  public Tensor labels(int... recordings) {
    long[] labels = new long[recordings.length];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = entries.get(recordings[i]).label();
    }
    return Tensor.of(labels);
  }

  /** A digest of names and features. */
  public String fingerprint() {
    StringBuilder text = new StringBuilder(settings.toString());
    for (int i = 0; i < features.size(); i++) {
      float[] values = features.get(i);
      ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
      bytes.asFloatBuffer().put(values);
      text.append('\n').append(entries.get(i).name()).append(' ');
      text.append(Fingerprint.of(bytes.array()));
    }
    return Fingerprint.of(text.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }
}
