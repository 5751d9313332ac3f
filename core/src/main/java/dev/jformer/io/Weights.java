package dev.jformer.io;

import dev.jformer.config.Checks;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The weights in a model's directory, in Hugging Face's layout: {@code model.safetensors}, or
 * shards named like {@code model-00001-of-00003.safetensors} under a {@code
 * model.safetensors.index.json}. Both are read in the same way.
 *
 * <p>Mapping, lifetimes and threads are as in {@link SafetensorsFile}.
 */
public final class Weights implements AutoCloseable {
  /** The largest file that {@link #save(Path, Map, Map)} writes, in bytes; as in transformers. */
  public static final long DEFAULT_SHARD_BYTES = 5_000_000_000L;

  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = SINGLE + ".index.json";

  /** The files of a directory by which its weights are found. */
  public static final List<String> FILES = List.of(SINGLE, INDEX);

  private static final Pattern SHARD = Pattern.compile("model-\\d{5,}-of-\\d{5,}\\.safetensors");

  private final Map<String, SafetensorsFile> fileOf;
  private final List<SafetensorsFile> files;

  private Weights(Map<String, SafetensorsFile> fileOf, List<SafetensorsFile> files) {
    this.fileOf = Collections.unmodifiableMap(fileOf);
    this.files = files;
  }

  /**
   * Opens the weights of a model.
   *
   * @param path the model's directory, or a safetensors file, or an index of shards
   * @throws FormatException if a file is unsound, lacks a tensor that the index says it holds, or
   *     the directory holds no weights
   * @throws IOException if a file does not exist or cannot be mapped
   */
  public static Weights open(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return path.toString().endsWith(".json") ? openSharded(path) : openSingle(path);
    }
    if (Files.exists(path.resolve(SINGLE))) {
      return openSingle(path.resolve(SINGLE));
    }
    if (Files.exists(path.resolve(INDEX))) {
      return openSharded(path.resolve(INDEX));
    }
    throw new FormatException(path + ": holds no weights: expected " + SINGLE + " or " + INDEX);
  }

  private static Weights openSingle(Path path) throws IOException {
    SafetensorsFile file = SafetensorsFile.open(path);
    Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
    file.names().forEach(name -> fileOf.put(name, file));
    return new Weights(fileOf, List.of(file));
  }

  private static Weights openSharded(Path index) throws IOException {
    Map<String, SafetensorsFile> opened = new TreeMap<>();
    Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, String> entry : ShardIndex.read(index).fileOf().entrySet()) {
        String shard = entry.getValue();
        SafetensorsFile file = opened.get(shard);
        if (file == null) {
          file = SafetensorsFile.open(index.resolveSibling(shard));
          opened.put(shard, file);
        }
        if (!file.names().contains(entry.getKey())) {
          throw new FormatException(
              index
                  + ": places tensor "
                  + FormatException.quote(entry.getKey())
                  + " in "
                  + shard
                  + ", which does not hold it");
        }
        fileOf.put(entry.getKey(), file);
      }
      return new Weights(fileOf, List.copyOf(opened.values()));
    } catch (IOException | RuntimeException e) {
      opened.values().forEach(SafetensorsFile::close);
      throw e;
    }
  }

  /** The tensors' names, in the order of the file; alphabetical if there are shards. */
  public Set<String> names() {
    return fileOf.keySet();
  }

  /** The free text stored with the tensors, by key; with shards, that of the first. */
  public Map<String, String> metadata() {
    return files.isEmpty() ? Map.of() : files.get(0).metadata();
  }

  /**
   * The shape of a tensor.
   *
   * @throws FormatException if there is no tensor of this name
   */
  public Shape shape(String name) {
    return file(name).shape(name);
  }

  /**
   * The element type of a tensor.
   *
   * @throws FormatException if there is no tensor of this name
   */
  public DType dtype(String name) {
    return file(name).dtype(name);
  }

  /**
   * A tensor as a view of its mapped file; see {@link SafetensorsFile#tensor}.
   *
   * @throws FormatException if there is no tensor of this name
   * @throws IllegalStateException if the weights were closed
   */
  public Tensor tensor(String name) {
    return file(name).tensor(name);
  }

  private SafetensorsFile file(String name) {
    SafetensorsFile file = fileOf.get(name);
    if (file == null) {
      throw new FormatException(
          "no tensor "
              + FormatException.quote(name)
              + " among the "
              + fileOf.size()
              + " of "
              + files.stream().map(f -> f.path().toString()).toList());
    }
    return file;
  }

  /** Releases the hold on the files; tensors taken from them keep theirs. */
  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }

  /** Saves weights in shards of at most {@link #DEFAULT_SHARD_BYTES} bytes. */
  public static void save(Path directory, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    save(directory, tensors, metadata, Map.of(), DEFAULT_SHARD_BYTES);
  }

  /**
   * Writes the weights of a model so that both {@link #open} and transformers read them, together
   * with companion files such as its configuration. They replace any weights in the directory. All
   * files are first written under temporary names, and the old ones stay untouched until then. Even
   * if saving is interrupted, these weights are never found beside another model's companions: at
   * worst, if a companion has changed, the directory is left without weights. Equal tensors and
   * metadata give equal files.
   *
   * @param directory created if it does not exist
   * @param metadata free text by key; {@code format}, which transformers requires, is {@code pt} if
   *     not given
   * @param companions content of further files by name, such as the model's configuration
   * @param maxShardBytes how many bytes of tensors a file may hold; a larger tensor gets a file of
   *     its own
   * @throws IllegalArgumentException if a tensor was released, or a name cannot be stored
   * @throws IOException if a file cannot be written
   */
  public static void save(
      Path directory,
      Map<String, Tensor> tensors,
      Map<String, String> metadata,
      Map<String, byte[]> companions,
      long maxShardBytes)
      throws IOException {
    Checks.atLeast("maxShardBytes", maxShardBytes, 1);
    Files.createDirectories(directory);
    try (Replacement replacement = new Replacement(directory)) {
      save(replacement, tensors, metadata, companions, maxShardBytes);
    }
  }

  static void save(
      Replacement replacement,
      Map<String, Tensor> tensors,
      Map<String, String> metadata,
      Map<String, byte[]> companions,
      long maxShardBytes)
      throws IOException {
    Path directory = replacement.directory();
    Map<String, String> text = new TreeMap<>(metadata);
    text.putIfAbsent("format", "pt");
    List<Map<String, Tensor>> shards = split(tensors, maxShardBytes);
    boolean changed = false;
    for (Map.Entry<String, byte[]> companion : new TreeMap<>(companions).entrySet()) {
      changed |= replacement.add(companion.getKey(), companion.getValue());
    }
    List<String> obsolete = new ArrayList<>();
    if (changed) {
      obsolete.add(SINGLE);
    }
    Set<String> written = new HashSet<>();
    if (shards.size() == 1) {
      write(replacement, SINGLE, shards.get(0), text);
      written.add(SINGLE);
    } else {
      written.addAll(addShards(replacement, shards, text));
      // Old and new shards of the same names must never be read as one model.
      changed |= written.stream().anyMatch(name -> Files.exists(directory.resolve(name)));
      written.add(INDEX);
    }
    if (changed) {
      obsolete.add(INDEX);
    }
    replacement.commit(obsolete);
    removeOthers(directory, written);
  }

  /** Adds shards and then their index; returns the shards' names. */
  private static Set<String> addShards(
      Replacement replacement, List<Map<String, Tensor>> shards, Map<String, String> metadata)
      throws IOException {
    Map<String, String> fileOf = new TreeMap<>();
    Set<String> names = new HashSet<>();
    long totalBytes = 0;
    for (Map<String, Tensor> shard : shards) {
      String name =
          String.format("model-%05d-of-%05d.safetensors", names.size() + 1, shards.size());
      write(replacement, name, shard, metadata);
      shard.keySet().forEach(tensor -> fileOf.put(tensor, name));
      totalBytes += bytes(shard);
      names.add(name);
    }
    AtomicFile.sealed(replacement.add(INDEX), new ShardIndex(fileOf).toBytes(totalBytes));
    return names;
  }

  private static void write(
      Replacement replacement,
      String name,
      Map<String, Tensor> tensors,
      Map<String, String> metadata)
      throws IOException {
    AtomicFile file = replacement.add(name);
    SafetensorsFile.write(file, file.target(), tensors, metadata);
  }

  /** Splits tensors, in alphabetical order, into shards of at most {@code maxBytes}. */
  private static List<Map<String, Tensor>> split(Map<String, Tensor> tensors, long maxBytes) {
    List<Map<String, Tensor>> shards = new ArrayList<>(List.of(new LinkedHashMap<>()));
    long filled = 0;
    for (Map.Entry<String, Tensor> next : new TreeMap<>(tensors).entrySet()) {
      long bytes = Header.Entry.of(next.getKey(), next.getValue()).bytes();
      if (filled > 0 && bytes > maxBytes - filled) {
        shards.add(new LinkedHashMap<>());
        filled = 0;
      }
      shards.get(shards.size() - 1).put(next.getKey(), next.getValue());
      filled += bytes;
    }
    return shards;
  }

  private static long bytes(Map<String, Tensor> tensors) {
    return tensors.entrySet().stream()
        .mapToLong(entry -> Header.Entry.of(entry.getKey(), entry.getValue()).bytes())
        .sum();
  }

  /**
   * Deletes the weights in a directory, whether in one file or in shards, and nothing else.
   *
   * @throws IOException if they cannot be deleted
   */
  public static void delete(Path directory) throws IOException {
    removeOthers(directory, Set.of());
  }

  /** Removes weight files of an earlier save in another layout. */
  private static void removeOthers(Path directory, Set<String> written) throws IOException {
    List<Path> stale;
    try (Stream<Path> files = Files.list(directory)) {
      stale =
          files
              .filter(file -> !written.contains(file.getFileName().toString()))
              .filter(file -> isWeights(file.getFileName().toString()))
              .toList();
    }
    for (Path file : stale) {
      Files.delete(file);
    }
  }

  private static boolean isWeights(String name) {
    return name.equals(SINGLE) || name.equals(INDEX) || SHARD.matcher(name).matches();
  }
}
