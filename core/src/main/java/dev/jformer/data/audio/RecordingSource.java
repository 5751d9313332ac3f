package dev.jformer.data.audio;

import dev.jformer.data.DataException;
import dev.jformer.data.internal.SourceFiles;
import dev.jformer.data.internal.ZipArchive;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A source of labelled recordings: a folder or a zip file. Where all files are named {@code
 * label_speaker_index.wav}, as in the Free Spoken Digit Dataset, the names tell the classes;
 * otherwise the folders that hold the files do, as {@code yes/1.wav}. Files and folders whose names
 * begin with a dot, and files that are not recordings, are ignored. Classes are in alphabetical
 * order, recordings by path.
 */
public final class RecordingSource {
  private static final Set<String> READABLE = Set.of("wav", "wave", "aif", "aiff", "au");
  private static final Set<String> UNREADABLE =
      Set.of("mp3", "flac", "ogg", "opus", "m4a", "aac", "wma", "webm");
  private static final Pattern NAMED = Pattern.compile("([^_]+)_(.+)_(\\d{1,9})\\.[^.]+");

  /** Files beyond this are refused as a mistake or an attack. */
  private static final int MOST_BYTES = 1 << 26;

  private final Path source;
  private final List<String> classes;
  private final List<Entry> entries;

  /**
   * A recording of the source.
   *
   * @param name its path in the source
   * @param label index of its class
   * @param speaker from the name; empty if names do not tell
   * @param index from the name; -1 if names do not tell
   */
  public record Entry(String name, int label, String speaker, int index) {}

  /** Receives recordings. */
  public interface Reader {
    /** Receives a recording. */
    void recording(Entry entry, Recording recording) throws IOException;
  }

  private RecordingSource(Path source, List<String> classes, List<Entry> entries) {
    this.source = source;
    this.classes = classes;
    this.entries = entries;
  }

  /**
   * Lists the recordings of a source.
   *
   * @throws DataException if there are none, some have no class, or a format that cannot be read
   */
  public static RecordingSource open(Path source) {
    return of(source, recordings(source, SourceFiles.of(source, "recordings", "").names()));
  }

  private static List<String> recordings(Path source, List<String> files) {
    List<String> found = new ArrayList<>();
    for (String file : files) {
      String ending = file.substring(file.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
      if (UNREADABLE.contains(ending)) {
        throw new DataException(
            file
                + " in "
                + source
                + " has a format that cannot be read: expected WAV, AIFF or AU; convert or remove"
                + " it");
      }
      if (READABLE.contains(ending)) {
        found.add(file);
      }
    }
    if (found.isEmpty()) {
      throw new DataException(
          source
              + " holds no recordings: expected WAV, AIFF or AU files in a folder for each class,"
              + " or named label_speaker_index.wav");
    }
    found.sort(Comparator.naturalOrder());
    return found;
  }

  private static RecordingSource of(Path source, List<String> files) {
    boolean named = files.stream().allMatch(file -> NAMED.matcher(last(file)).matches());
    List<String> labels = new ArrayList<>();
    for (String file : files) {
      labels.add(named ? parts(file).group(1) : folder(source, file));
    }
    List<String> classes = List.copyOf(new TreeSet<>(labels));
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      Matcher parts = named ? parts(files.get(i)) : null;
      entries.add(
          new Entry(
              files.get(i),
              classes.indexOf(labels.get(i)),
              named ? parts.group(2) : "",
              named ? Integer.parseInt(parts.group(3)) : -1));
    }
    return new RecordingSource(source, classes, List.copyOf(entries));
  }

  private static String last(String file) {
    return file.substring(file.lastIndexOf('/') + 1);
  }

  private static Matcher parts(String file) {
    Matcher parts = NAMED.matcher(last(file));
    if (!parts.matches()) {
      throw new IllegalStateException(file);
    }
    return parts;
  }

  private static String folder(Path source, String file) {
    int end = file.lastIndexOf('/');
    if (end < 0) {
      throw new DataException(
          file
              + " in "
              + source
              + " is in no class folder: expected folders named after classes, such as yes/"
              + file
              + ", or all files named label_speaker_index.wav");
    }
    return last(file.substring(0, end));
  }

  /** The names of the classes, in order. */
  public List<String> classes() {
    return classes;
  }

  /** The recordings, by path. */
  public List<Entry> entries() {
    return entries;
  }

  /** Whether names tell the speaker and the index of each recording. */
  public boolean isNamed() {
    return entries.get(0).index() >= 0;
  }

  /**
   * Reads all recordings, in order.
   *
   * @throws DataException if one is damaged
   */
  public void read(Reader reader) throws IOException {
    if (Files.isDirectory(source)) {
      for (Entry entry : entries) {
        reader.recording(entry, Recording.read(source.resolve(entry.name)));
      }
      return;
    }
    try (ZipFile file = ZipArchive.open(source)) {
      for (Entry entry : entries) {
        try (InputStream in = file.getInputStream(file.getEntry(entry.name))) {
          byte[] content = in.readNBytes(MOST_BYTES);
          String name = entry.name + " in " + source;
          if (content.length == MOST_BYTES) {
            throw new DataException(
                "%s has %,d MB or more: expected a recording of seconds; remove it"
                    .formatted(name, MOST_BYTES >> 20));
          }
          reader.recording(entry, Recording.decode(content, name));
        } catch (ZipException | EOFException e) {
          throw ZipArchive.damaged(source, entry.name, e);
        }
      }
    }
  }

  /** The source's path. */
  @Override
  public String toString() {
    return source.toString();
  }
}
