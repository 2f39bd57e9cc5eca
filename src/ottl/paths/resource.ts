import { field } from '../../otlp/wire-reader.js';
import type { OttlContext } from '../context.js';
import { attribute, attributeMap, type NodeOf, text, uint32 } from './fields.js';
import { lookUp, type PathParts, type PathResult } from './look-up.js';

const FIRST = field.delimited(1);
const SCHEMA_URL = field.delimited(3);
const RESOURCE_DROPPED = field.varint(2);
const SCOPE_VERSION = field.delimited(2);
const SCOPE_ATTRIBUTES = field.delimited(3);
const SCOPE_DROPPED = field.varint(4);

const resource: NodeOf = ({ resourceGroup }, edit) =>
  edit ? resourceGroup.child(FIRST) : resourceGroup.look(FIRST);
const resourceGroup = (context: OttlContext) => context.resourceGroup;
const scope: NodeOf = ({ scopeGroup }, edit) => (edit ? scopeGroup!.child(FIRST) : scopeGroup!.look(FIRST));
const scopeGroup = (context: OttlContext) => context.scopeGroup!;

export const resourcePath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    attributes: (keys) =>
      keys.length === 0 ? attributeMap(resource, () => FIRST) : attribute(resource, () => FIRST, keys),
    dropped_attributes_count: uint32(resource, RESOURCE_DROPPED),
    schema_url: text(resourceGroup, SCHEMA_URL),
  });

export const scopePath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    name: text(scope, FIRST),
    version: text(scope, SCOPE_VERSION),
    attributes: (keys) =>
      keys.length === 0
        ? attributeMap(scope, () => SCOPE_ATTRIBUTES)
        : attribute(scope, () => SCOPE_ATTRIBUTES, keys),
    dropped_attributes_count: uint32(scope, SCOPE_DROPPED),
    schema_url: text(scopeGroup, SCHEMA_URL),
  });
