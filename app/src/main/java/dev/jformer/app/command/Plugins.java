package dev.jformer.app.command;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Parts of the user's own: classes outside of jformer that are found as services while this is
 * open.
 */
final class Plugins implements AutoCloseable {
  private static final String SERVICES = "META-INF/services";

  private final ClassLoader before = Thread.currentThread().getContextClassLoader();
  private final URLClassLoader loader;

  private Plugins(URL[] places) {
    loader = new URLClassLoader(places, Plugins.class.getClassLoader());
    Thread.currentThread().setContextClassLoader(loader);
  }

  /**
   * Makes the parts in a place known to this thread.
   *
   * @param place a jar, a folder of classes, or a folder of jars and of such folders
   * @throws CommandException if there is nothing of the kind
   */
  static Plugins open(Path place) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (Path found : find(place)) {
      urls.add(url(found));
    }
    if (urls.isEmpty()) {
      throw new CommandException(
          "--plugins "
              + place
              + " holds no parts: expected a jar, or a folder of jars or of classes with "
              + SERVICES);
    }
    return new Plugins(urls.toArray(URL[]::new));
  }

  private static List<Path> find(Path place) throws IOException {
    if (!Files.exists(place)) {
      throw new CommandException("--plugins " + place + ": no such file or folder");
    }
    if (holdsClasses(place)) {
      return List.of(place);
    }
    try (Stream<Path> children = Files.list(place)) {
      return children.filter(Plugins::holdsClasses).sorted().toList();
    }
  }

  private static boolean holdsClasses(Path path) {
    return Files.isDirectory(path)
        ? Files.isDirectory(path.resolve(SERVICES))
        : path.toString().endsWith(".jar");
  }

  private static URL url(Path path) {
    try {
      return path.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException(path + " has no URL", e);
    }
  }

  @Override
  public void close() throws IOException {
    Thread.currentThread().setContextClassLoader(before);
    loader.close();
  }
}
