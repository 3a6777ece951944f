import { describe, expect, it } from "vitest";
import { isWithin, joinLocation, normaliseLocation, pathOfLocation } from "./location.ts";

describe("locations", () => {
  it.each([
    ["/x/y", "file:///x/y"],
    ["file:/x/y", "file:///x/y"],
    ["file:///x/y", "file:///x/y"],
    ["file:///x/y/", "file:///x/y"],
    ["file:////x//y", "file:///x/y"],
    ["file://localhost/x", "file:///x"],
    ["FILE:/x/./y", "file:///x/y"],
    ["file:///", "file:///"],
    ["file:///x/a%2Fb c", "file:///x/a%2Fb c"],
    ["file:///x/..a/.b", "file:///x/..a/.b"],
    ["s3://b/k//l", "s3://b/k//l"],
    ["s3a://b/k", "s3://b/k"],
    ["s3n://b/k/", "s3://b/k"],
    ["memory://w/x", "memory://w/x"],
  ])("%s is %s", (spelling, normal) => {
    expect(normaliseLocation(spelling)).toBe(normal);
    expect(normaliseLocation(normal)).toBe(normal);
  });

  it.each(["", "x/y", "./x", "file:x", "file://host/x", "file://", "/x/../y", "file:///x/..", "s3://b/../k", "/x\0y"])(
    "refuses %j",
    (location) => expect(() => normaliseLocation(location)).toThrowError(/^location/),
  );

  it("are joined and compared", () => {
    expect(joinLocation("file:///x/", "y", "z")).toBe("file:///x/y/z");
    expect(pathOfLocation("file:/x/y")).toBe("/x/y");
    expect(isWithin("file:///x", "file:///x/y")).toBe(true);
    expect(isWithin("file:///x", "file:///xy")).toBe(false);
    expect(isWithin("file:///", "file:///xy")).toBe(true);
  });
});
