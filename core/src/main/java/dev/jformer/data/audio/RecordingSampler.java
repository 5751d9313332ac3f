package dev.jformer.data.audio;

import dev.jformer.data.DataException;
import dev.jformer.data.Epochs;
import dev.jformer.data.FrameSource;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/**
 * Splits recordings into those to learn from and those held out, and draws batches. In training,
 * some frames and bands of a recording may be hidden (<a
 * href="https://arxiv.org/abs/1904.08779">SpecAugment: A Simple Data Augmentation Method for
 * Automatic Speech Recognition</a>): they get the mean of the recording.
 */
public final class RecordingSampler implements FrameSource {
  /** Which recordings are held out. */
  public enum Split {
    /** The first of each speaker and class by index if names tell them, else random ones. */
    AUTO,
    /** The same share of each class, drawn with a fixed seed. */
    RANDOM,
    /** The first of each speaker and class by index. */
    INDEX,
    /** All recordings of some speakers, the last by name, at least one. */
    SPEAKER
  }

  /**
   * The most frames and bands that are hidden of a recording.
   *
   * @param frames the longest stretch of frames; 0 for none
   * @param bands the widest stretch of bands; 0 for none
   */
  public record Hiding(int frames, int bands) {
    /** Nothing is hidden. */
    public Hiding() {
      this(0, 0);
    }

    /** Checks the values. */
    public Hiding {
      dev.jformer.config.Checks.atLeast("frames", frames, 0);
      dev.jformer.config.Checks.atLeast("bands", bands, 0);
    }
  }

  private static final long SPLIT_SEED = 20;
  private static final int EVALUATED_TOGETHER = 64;

  private final RecordingFeatures features;
  private final Hiding hiding;
  private final long seed;
  private final int[] training;
  private final int[] heldOut;
  private final Epochs epochs;

  /**
   * Splits recordings.
   *
   * @param validation share that is held out
   * @throws DataException if nothing is left to learn from or held out, or names do not tell what
   *     the split needs
   */
  public RecordingSampler(
      RecordingFeatures features,
      double validation,
      Split split,
      Hiding hiding,
      int batch,
      long seed) {
    this.features = features;
    this.hiding = hiding;
    this.seed = seed;
    List<RecordingSource.Entry> entries = features.entries();
    boolean[] held = split(entries, validation, split);
    this.training = indices(held, false);
    this.heldOut = indices(held, true);
    if (training.length == 0 || heldOut.length == 0) {
      throw new DataException(
          entries.size()
              + " recordings, of which a share of "
              + validation
              + " is held out, leave "
              + training.length
              + " for training and "
              + heldOut.length
              + " for validation: both need at least one (data.validation is the share held out)");
    }
    this.epochs = new Epochs(training.length, batch, seed);
  }

  private static boolean[] split(List<RecordingSource.Entry> entries, double share, Split split) {
    boolean named = entries.get(0).index() >= 0;
    if (!named && (split == Split.INDEX || split == Split.SPEAKER)) {
      throw new DataException(
          "data.split is "
              + split
              + ", but recordings are not named label_speaker_index.wav: rename them, or choose"
              + " random");
    }
    boolean[] held = new boolean[entries.size()];
    if (split == Split.SPEAKER) {
      List<String> speakers =
          List.copyOf(new TreeSet<>(entries.stream().map(RecordingSource.Entry::speaker).toList()));
      long count = Math.max(1, Math.round(share * speakers.size()));
      for (int i = 0; i < held.length; i++) {
        held[i] = speakers.indexOf(entries.get(i).speaker()) >= speakers.size() - count;
      }
      return held;
    }
    boolean byIndex = named && split != Split.RANDOM;
    Map<String, List<Integer>> groups = new LinkedHashMap<>();
    for (int i = 0; i < held.length; i++) {
      RecordingSource.Entry entry = entries.get(i);
      String group = byIndex ? entry.label() + " " + entry.speaker() : "" + entry.label();
      groups.computeIfAbsent(group, g -> new ArrayList<>()).add(i);
    }
    Random random = new Random(SPLIT_SEED);
    for (List<Integer> group : groups.values()) {
      if (byIndex) {
        group.sort(Comparator.comparingInt(i -> entries.get(i).index()));
      } else {
        Collections.shuffle(group, random);
      }
      long count = Math.round(share * group.size());
      group.stream().limit(count).forEach(i -> held[i] = true);
    }
    return held;
  }

  private static int[] indices(boolean[] held, boolean wanted) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < held.length; i++) {
      if (held[i] == wanted) {
        all.add(i);
      }
    }
    return all.stream().mapToInt(i -> i).toArray();
  }

  @Override
  public int training() {
    return training.length;
  }

  @Override
  public int heldOut() {
    return heldOut.length;
  }

  @Override
  public int batch() {
    return epochs.batch();
  }

  /** The numbers of the recordings that are held out. */
  public int[] heldOutRecordings() {
    return heldOut.clone();
  }

  @Override
  public Batch batch(long number) {
    int[] chosen = Arrays.stream(epochs.chosen(number)).map(i -> training[i]).toArray();
    Tensor frames = features.frames(chosen);
    SplittableRandom random = new SplittableRandom(seed * 0xD1342543DE82EF95L + number);
    return new Batch(hidden(frames, random), features.labels(chosen));
  }

  private Tensor hidden(Tensor frames, SplittableRandom random) {
    if (hiding.frames() == 0 && hiding.bands() == 0) {
      return frames;
    }
    int batch = (int) frames.size(0);
    int length = (int) frames.size(1);
    int bands = (int) frames.size(2);
    boolean[] mask = new boolean[batch * length * bands];
    for (int b = 0; b < batch; b++) {
      int longest = Math.min(length, hiding.frames());
      int hiddenFrames = random.nextInt(longest + 1);
      int firstFrame = random.nextInt(length - hiddenFrames + 1);
      int widest = Math.min(bands, hiding.bands());
      int hiddenBands = random.nextInt(widest + 1);
      int firstBand = random.nextInt(bands - hiddenBands + 1);
      for (int t = 0; t < length; t++) {
        for (int f = 0; f < bands; f++) {
          mask[(b * length + t) * bands + f] =
              (t >= firstFrame && t < firstFrame + hiddenFrames)
                  || (f >= firstBand && f < firstBand + hiddenBands);
        }
      }
    }
    Tensor means = frames.flatten(1, 2).mean(1, true).unsqueeze(2).expand(batch, length, bands);
    return means.where(Tensor.of(mask, batch, length, bands), frames);
  }

  @Override
  public void heldOut(BiConsumer<Tensor, Tensor> consumer) {
    each(features, heldOut, consumer);
  }

  /** Passes all recordings, in order, with their classes, batch by batch. */
  public static void all(RecordingFeatures features, BiConsumer<Tensor, Tensor> consumer) {
    int[] recordings = new int[features.entries().size()];
    Arrays.setAll(recordings, i -> i);
    each(features, recordings, consumer);
  }

  private static void each(
      RecordingFeatures features, int[] recordings, BiConsumer<Tensor, Tensor> consumer) {
    for (int from = 0; from < recordings.length; from += EVALUATED_TOGETHER) {
      int to = Math.min(recordings.length, from + EVALUATED_TOGETHER);
      int[] some = Arrays.copyOfRange(recordings, from, to);
      try (Scope scope = Scope.open()) {
        consumer.accept(features.frames(some), features.labels(some));
      }
    }
  }
}
