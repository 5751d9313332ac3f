package dev.jformer.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Optional;

/**
 * A field of a configuration, as it stands in JSON.
 *
 * @param owner the record that declares it, which may be a flat component of the one that was asked
 * @param name its name
 * @param type its Java type
 * @param value its value in the configuration that was asked; for a part's defaults its default
 * @param formerNames names of earlier versions that are still read
 */
public record ConfigField(
    Class<?> owner, String name, Type type, Object value, List<String> formerNames) {
  /** Whether the field holds a list. */
  public boolean isList() {
    return type instanceof ParameterizedType;
  }

  /** The class of what stands here, once or in a list. */
  public Class<?> element() {
    return (Class<?>)
        (type instanceof ParameterizedType list ? list.getActualTypeArguments()[0] : type);
  }

  /** The kind of part that stands here, once or in a list; empty if something else does. */
  public Optional<Class<? extends Part>> kind() {
    return Configs.isPartKind(element())
        ? Optional.of(element().asSubclass(Part.class))
        : Optional.empty();
  }
}
