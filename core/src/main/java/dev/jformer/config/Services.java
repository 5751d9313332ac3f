package dev.jformer.config;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads services one by one, so that one that cannot be loaded does not hide the others. */
final class Services {
  private static final Logger LOG = LoggerFactory.getLogger(Services.class);

  /** How the names of this library's classes begin. */
  private static final String OWN = "dev.jformer.";

  /** Faults in a row after which nothing more is expected of a loader. */
  private static final int MOST_FAULTS = 1000;

  private static final Set<String> REPORTED = ConcurrentHashMap.newKeySet();

  private Services() {}

  /**
   * Returns the services that can be loaded, and reports each of the others once in the log.
   *
   * @throws ServiceConfigurationError if one of this library fails: then the engine is missing
   */
  static <S> List<S> sound(ServiceLoader<S> loader) {
    List<S> found = new ArrayList<>();
    Iterator<ServiceLoader.Provider<S>> providers = loader.stream().iterator();
    for (ServiceLoader.Provider<S> next = next(providers); next != null; next = next(providers)) {
      try {
        found.add(next.get());
      } catch (ServiceConfigurationError | LinkageError e) {
        if (next.type().getName().startsWith(OWN)) {
          throw e;
        }
        report(e);
      }
    }
    return found;
  }

  /** Returns the next service whose class can be loaded; null if there is none. */
  private static <S> ServiceLoader.Provider<S> next(Iterator<ServiceLoader.Provider<S>> providers) {
    for (int faults = 0; faults < MOST_FAULTS; faults++) {
      try {
        return providers.hasNext() ? providers.next() : null;
      } catch (ServiceConfigurationError | LinkageError e) {
        report(e);
      }
    }
    return null;
  }

  private static void report(Error fault) {
    Throwable cause = fault.getCause();
    report(fault.getMessage(), cause == null ? fault.getClass().getSimpleName() : "" + cause);
  }

  /** Reports, once, a part that is left out. */
  static void report(String part, String reason) {
    if (REPORTED.add(part + reason)) {
      LOG.warn("a part is left out: {} ({})", part, reason);
    }
  }
}
