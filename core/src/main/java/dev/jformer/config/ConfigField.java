package dev.jformer.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Optional;

/**
 * A field of a configuration as it appears in JSON.
 *
 * @param owner the record that declares the field, which may be a flat component of the
 *     configuration
 * @param name the name in JSON
 * @param type the Java type
 * @param value the value in the configuration
 * @param formerNames names of earlier versions that are still read
 */
public record ConfigField(
    Class<?> owner, String name, Type type, Object value, List<String> formerNames) {
  /** Leaves out the type arguments of a kind of part. */
  public ConfigField {
    type = Configs.withoutArguments(type);
  }

  /** Whether the field holds a list. */
  public boolean isList() {
    return type instanceof ParameterizedType;
  }

  /** The class of the value, or of the items if the field holds a list. */
  public Class<?> element() {
    return (Class<?>)
        (type instanceof ParameterizedType list ? list.getActualTypeArguments()[0] : type);
  }

  /** The kind of part that the value or the list's items are; empty if they are not parts. */
  public Optional<Class<? extends Part>> kind() {
    return Configs.isPartKind(element())
        ? Optional.of(element().asSubclass(Part.class))
        : Optional.empty();
  }
}
